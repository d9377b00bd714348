import pytest

from tests.imap.selected import SelectedSession, SmallMailbox
from twisted_mail.mail.outcome import Refused, Unavailable


def test_an_examined_mailbox_cannot_be_altered() -> None:
    SelectedSession(SmallMailbox()).selected.require_writable()
    with pytest.raises(Refused, match="reading only"):
        SelectedSession(SmallMailbox(), is_read_only=True).selected.require_writable()


class FaultyMailbox(SmallMailbox):
    """Has left messages out until that is forgotten."""

    uids = frozenset({2})

    @property
    def faulty(self) -> frozenset[int]:
        return self.uids

    def forget_faulty(self) -> None:
        self.uids = frozenset()


def test_messages_that_were_left_out_are_told_of_once() -> None:
    selected = SelectedSession(FaultyMailbox()).selected
    with pytest.raises(Unavailable) as said:
        selected.require_no_faults()
    assert said.value.condition == "CONTACTADMIN"
    selected.require_no_faults()


def test_messages_that_are_gone_are_refused() -> None:
    mailbox = SmallMailbox(b"one", b"two")
    selected = SelectedSession(mailbox).selected
    selected.require_all_present([1, 2])
    mailbox.remove([1])
    with pytest.raises(Refused) as refused:
        selected.require_all_present([1, 2])
    assert refused.value.condition == "EXPUNGEISSUED"


def test_what_follows_ok_says_which_messages_are_gone() -> None:
    mailbox = SmallMailbox(b"one", b"two")
    selected = SelectedSession(mailbox).selected
    assert selected.completed("FETCH", [1, 2]) == "FETCH completed."
    mailbox.remove([1])
    assert selected.completed("FETCH", [1, 2]) == "[EXPUNGEISSUED] FETCH completed."
    assert selected.completed("FETCH", [2]) == "FETCH completed."
    selected.view.updates(may_expunge=True)
    assert selected.completed("FETCH", [1, 2]) == "FETCH completed."
