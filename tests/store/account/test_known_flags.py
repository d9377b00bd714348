"""Marks that alter nothing, of mailboxes of which everything is known."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.ground import draft, mail
from tests.store.watched_maildir import WatchedMaildir
from twisted_mail.interfaces import Mailbox
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.outcome import Refused
from twisted_mail.testing.doubles import finish

SEEN, FLAGGED, BOTH = normal(["\\Seen"]), normal(["\\Flagged"]), normal(["\\Seen", "$Work"])


@pytest.fixture
def alice(tmp_path: Path) -> Iterator[WatchedMaildir]:
    found = WatchedMaildir(tmp_path)
    finish(found.account.append("INBOX", [draft(mail(n), "\\Seen", "$Work") for n in "abc"]))
    yield found
    found.monitor.close()


@pytest.fixture
def inbox(alice: WatchedMaildir) -> Mailbox:
    return alice.open()


def test_what_is_so_already_takes_no_work(alice: WatchedMaildir, inbox: Mailbox) -> None:
    for how, flags in (("add", SEEN), ("add", BOTH), ("set", BOTH), ("remove", FLAGGED)):
        assert finish(inbox.mark([1, 2, 3, 9], how, flags)) == ()
    assert alice.works == 0


def test_one_message_that_is_to_be_altered_suffices(alice: WatchedMaildir, inbox: Mailbox) -> None:
    finish(inbox.mark([2], "add", FLAGGED))
    finish(inbox.mark([1, 2, 3], "add", FLAGGED))
    assert alice.works == 2
    assert all(flags >= FLAGGED for flags in inbox.columns.flags)


def test_a_keyword_is_removed_however_it_is_spelled(inbox: Mailbox) -> None:
    finish(inbox.mark([1], "remove", normal(["$WORK"])))
    assert inbox.columns.flags[0] == SEEN


def test_when_another_program_did_something_nothing_is_taken_for_known(
    alice: WatchedMaildir, inbox: Mailbox
) -> None:
    alice.drop("new/1.d")
    finish(inbox.mark([1], "add", SEEN))
    assert alice.works == 1


def test_a_condition_is_answered_by_the_index(alice: WatchedMaildir, inbox: Mailbox) -> None:
    before = inbox.columns.highest_modseq
    finish(inbox.mark([1], "add", FLAGGED))
    assert finish(inbox.mark([1], "add", FLAGGED, before)) == (1,)


def test_a_deleted_mailbox_has_no_flags(alice: WatchedMaildir) -> None:
    finish(alice.account.append("Archive", [draft(mail("a"), "\\Seen")]))
    archive = alice.open("Archive")
    finish(alice.account.delete("Archive"))
    with pytest.raises(Refused):
        finish(archive.mark([1], "add", SEEN))


def test_of_a_mailbox_that_is_not_watched_nothing_is_known(alice: WatchedMaildir) -> None:
    alice.monitor._max_watches = 0
    inbox = alice.open()
    finish(inbox.mark([1], "add", SEEN))
    assert alice.works == 1
