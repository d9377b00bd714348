from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.imap.selected import SelectedSession, SmallMailbox
from twisted_mail.imap.commands import copy
from twisted_mail.imap.extensions import move
from twisted_mail.mail.mailbox.entry import CopyResult
from twisted_mail.mail.outcome import ProtocolError, Refused, Unavailable
from twisted_mail.testing.doubles import finish

COPY, MOVE = *copy.COMMANDS, *move.EXTENSION.commands


def session_of(count: int, **settings: bool) -> SelectedSession:
    return SelectedSession(SmallMailbox(*[b""] * count), **settings)


def test_copying_sends_the_uids_here_and_there():
    session = session_of(4)
    answer = finish(session.run(COPY, b"1,3:4 Archive"))
    assert answer == "[COPYUID 99 1,3:4 101:103] COPY completed."
    assert session.mailbox.calls == [("copy", [1, 3, 4], "Archive")]


def test_copying_is_possible_from_a_mailbox_selected_for_reading():
    assert finish(session_of(1, is_read_only=True).run(COPY, b"1 x")).startswith("[COPYUID")


@pytest.mark.parametrize("command", [COPY, MOVE])
def test_no_messages_are_a_plain_ok(command):
    session = session_of(1)
    assert "[" not in finish(session.run(command, b"5:9 Archive", is_uid=True))
    assert session.mailbox.calls == []


@pytest.mark.parametrize("command", [COPY, MOVE])
def test_messages_that_vanished_meanwhile_are_a_plain_ok(command):
    session = session_of(1)
    session.mailbox.remove([1])
    assert "[" not in finish(session.run(command, b"1 Archive", is_uid=True))
    assert session.written() == b""


@pytest.mark.parametrize("command", [COPY, MOVE])
def test_nothing_is_copied_when_a_number_means_a_message_that_is_gone(command):
    session = session_of(2)
    session.mailbox.remove([1])
    with pytest.raises(Refused) as caught:
        finish(session.run(command, b"1:2 Archive"))
    assert caught.value.condition == "EXPUNGEISSUED"
    assert session.mailbox.calls == []


@pytest.mark.parametrize("command", [COPY, MOVE])
def test_the_stores_refusal_is_the_answer(command):
    session = session_of(1)

    def refuse(name: str) -> None:
        raise Refused("There is no such mailbox.", "TRYCREATE")

    session.mailbox.before = refuse
    with pytest.raises(Refused) as caught:
        finish(session.run(command, b"1 Nowhere"))
    assert caught.value.condition == "TRYCREATE"


def test_moving_sends_the_new_uids_before_the_expunges():
    session = session_of(3)
    assert finish(session.run(MOVE, b"1:2 Archive")) == "MOVE completed."
    assert session.written() == b"* OK [COPYUID 99 1:2 101:102] Moved.\r\n"
    assert session.view.updates(may_expunge=True) == [b"2 EXPUNGE", b"1 EXPUNGE"]


def test_moving_only_some_sends_their_new_uids_before_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def move_one(mailbox: SmallMailbox, uids: Sequence[int], target: str) -> CopyResult:
        mailbox.remove(uids[:1])
        return CopyResult(99, (1,), (101,), Unavailable("The disk has trouble"))

    monkeypatch.setattr(SmallMailbox, "move", move_one)
    session = session_of(3)
    with pytest.raises(Unavailable, match="trouble"):
        finish(session.run(MOVE, b"1:2 Archive"))
    assert session.written() == b"* OK [COPYUID 99 1 101] Moved.\r\n"
    assert session.view.updates(may_expunge=True) == [b"1 EXPUNGE"]


def test_nothing_moves_out_of_a_mailbox_selected_for_reading():
    session = session_of(1, is_read_only=True)
    with pytest.raises(Refused) as caught:
        finish(session.run(MOVE, b"1 Archive"))
    assert caught.value.condition == "READ-ONLY"


@pytest.mark.parametrize("arguments", [b"", b"1", b"1 ", b"x Archive", b"1 a b", b"2 a"])
def test_what_is_no_copy_is_a_protocol_error(arguments):
    with pytest.raises(ProtocolError):
        finish(session_of(1).run(COPY, arguments))


def test_a_name_that_no_mailbox_can_have_is_refused():
    with pytest.raises(Refused) as caught:
        finish(session_of(1).run(COPY, b"1 &bad"))
    assert caught.value.condition == "CANNOT"


def test_the_uids_of_both_sets_stay_pairwise():
    code = copy.copy_code(CopyResult(7, (1, 2, 5), (12, 10, 11)))
    assert code == "[COPYUID 7 1:2,5 12,10:11] "


@given(st.lists(st.integers(1, 20)))
def test_runs_keep_the_order(uids):
    assert [uid for first, last in copy.runs(uids) for uid in range(first, last + 1)] == uids
