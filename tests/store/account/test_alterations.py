"""Tests of twisted_mail.store.account.alterations: flags of many messages."""

import pytest

from tests.contracts.ground import draft, mail
from tests.store.shared_maildir import SharedMaildir
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.account import alterations
from twisted_mail.store.account.mailbox import MaildirMailbox
from twisted_mail.store.index.index import Index
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.work import set_flags
from twisted_mail.testing.doubles import finish

SEEN = normal(["\\Seen"])


@pytest.fixture
def five(shared: SharedMaildir, monkeypatch: pytest.MonkeyPatch) -> MaildirMailbox:
    """Five messages, of which two are marked at a time."""
    monkeypatch.setattr(alterations, "MARKED_AT_ONCE", 2)
    finish(shared.account.append("INBOX", [draft(mail(n)) for n in "abcde"]))
    return shared.open()


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[set[bytes]]:
    """The places of each sync of a mailbox's folders."""
    places: list[set[bytes]] = []
    monkeypatch.setattr(Folder, "sync", lambda folder, these: places.append(these))
    return places


def test_flags_of_many_are_altered_some_at_a_time_and_synced_once(
    five: MaildirMailbox, synced: list[set[bytes]]
) -> None:
    heard: list[list[int]] = []
    five.watch(lambda change: heard.append([uid for uid, _, _ in change.marks]))
    assert finish(five.mark([1, 2, 3, 4, 5], "add", SEEN)) == ()
    assert heard == [[1, 2], [3, 4], [5]]
    assert five.columns.flags == [SEEN] * 5
    assert synced == [{b"cur"}]


def test_the_refused_of_all_parts_are_returned(five: MaildirMailbox) -> None:
    before = five.columns.highest_modseq
    finish(five.mark([1, 5], "add", normal(["\\Draft"])))
    assert finish(five.mark([1, 2, 3, 4, 5], "add", SEEN, before)) == (1, 5)
    assert [flags >= SEEN for flags in five.columns.flags] == [False, True, True, True, False]


def test_what_was_altered_before_a_failure_stays_so_and_is_durable(
    five: MaildirMailbox, synced: list[set[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    mark_some = set_flags.mark_some

    def failing(folder, work, uids, *how):
        if 3 in uids:
            raise Unavailable("The disk has trouble")
        return mark_some(folder, work, uids, *how)

    monkeypatch.setattr(set_flags, "mark_some", failing)
    with pytest.raises(Unavailable, match="trouble"):
        finish(five.mark([1, 2, 3, 4, 5], "add", SEEN))
    assert [flags == SEEN for flags in five.columns.flags] == [True, True, False, False, False]
    assert synced == [{b"cur"}]


def test_a_keyword_that_no_name_shows_is_durable_in_the_index(
    five: MaildirMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(five.mark([1], "add", normal([f"k{number}" for number in range(26)])))
    full: list[bool] = []
    monkeypatch.setattr(Index, "need_full_sync", lambda index: full.append(True))
    finish(five.mark([1, 2, 3, 4, 5], "add", normal(["k26"])))
    assert full == [True]
