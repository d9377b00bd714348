"""Two stores on one root, as two processes have them."""

from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, listen, mail, refused
from tests.faults import QuickDisk
from twisted_mail.interfaces import Mailbox
from twisted_mail.mail.mailbox.change import (
    EntriesAdded,
    EntriesExpunged,
    FlagsChanged,
    MailboxDeleted,
    MailboxRenamed,
    SubscriptionChanged,
)
from twisted_mail.mail.mailbox.entry import Entry
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.index import expunged_log
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.work import perform
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

LATER = 2_500_000_000
WORDS = [f"Word{number}" for number in range(30)]


class Twins:
    """The account alice of two stores, and INBOX as each has it open."""

    def __init__(self, root: Path) -> None:
        self.stores = [
            MaildirStore(
                root,
                InlineBlocking(),
                StillClock(LATER),
                FakeRenderer(),
                StoreServices(disk=QuickDisk()),
            )
            for _ in range(2)
        ]
        self.index = root / "example.org" / "alice" / "index.sqlite3"
        self.one, self.other = (finish(store.account(ALICE)) for store in self.stores)
        for account in (self.one, self.other):
            finish(account.mailboxes())

    def both(self, name: str = "INBOX") -> tuple[Mailbox, Mailbox]:
        return finish(self.one.open(name)), finish(self.other.open(name))

    def agree(self, *mailboxes: Mailbox) -> list[Entry]:
        views = []
        for mailbox in mailboxes:
            finish(mailbox.refresh())
            views.append([mailbox.columns[row] for row in range(len(mailbox.columns))])
        assert all(view == views[0] for view in views)
        return views[0]


@pytest.fixture
def twins(tmp_path: Path) -> Twins:
    return Twins(tmp_path)


def put(account: MaildirAccount, name: str = "INBOX", *flags: str) -> tuple[int, ...]:
    return finish(account.append(name, [draft(mail("a message"), *flags)])).targets


def test_what_the_other_did_becomes_changes_with_its_mod_sequences(twins: Twins) -> None:
    one, other = twins.both()
    heard = listen(one)
    put(twins.other)
    put(twins.other)
    finish(one.refresh())
    finish(other.mark([1], "add", normal(["\\Seen", "Word"])))
    finish(one.refresh())
    finish(other.expunge([2]))
    finish(one.refresh())
    assert [type(change) for change in heard] == [EntriesAdded, FlagsChanged, EntriesExpunged]
    assert "Word" in one.keywords
    assert one.columns.highest_modseq == other.columns.highest_modseq
    assert len(twins.agree(one, other)) == 1


def test_keywords_that_no_file_name_tells_are_told(twins: Twins) -> None:
    one, other = twins.both()
    put(twins.one)
    finish(other.refresh())
    for word in WORDS:
        finish(one.mark([1], "set", normal([word])))
        [entry] = twins.agree(one, other)
        assert entry.flags == {word}


def test_each_gives_uids_beyond_those_of_the_other(twins: Twins) -> None:
    one, other = twins.both()
    uids = [uid for _ in range(5) for account in (twins.one, twins.other) for uid in put(account)]
    assert uids == list(range(1, 11))
    assert [entry.uid for entry in twins.agree(one, other)] == uids


def test_what_came_and_went_between_two_looks_is_not_told(twins: Twins) -> None:
    one, other = twins.both()
    heard = listen(one)
    put(twins.other)
    finish(other.expunge([1]))
    finish(one.refresh())
    assert heard == []
    assert put(twins.one) == (2,)


@pytest.fixture
def forgetful(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> Twins:
    """Twins with four messages, who soon forget what is gone."""
    monkeypatch.setattr(expunged_log, "GONE_KEPT", 0)
    monkeypatch.setattr(expunged_log, "RECENT_MODSEQS", 1)
    for _ in range(4):
        put(twins.one)
    return twins


def test_what_is_forgotten_again_is_found_by_comparing(forgetful: Twins) -> None:
    one, other = forgetful.both()
    heard = listen(one)
    finish(other.expunge([1]))
    finish(other.mark([3], "add", normal(["\\Seen", "Word"])))
    finish(other.expunge([2]))
    put(forgetful.other)
    finish(one.refresh())
    assert [type(change) for change in heard] == [EntriesExpunged, FlagsChanged, EntriesAdded]
    assert [entry.uid for entry in forgetful.agree(one, other)] == [3, 4, 5]
    assert "Word" in one.keywords
    assert one.columns.highest_modseq == other.columns.highest_modseq


def test_a_mailbox_that_nobody_has_open_is_not_opened_by_comparing(forgetful: Twins) -> None:
    one, other = forgetful.both()
    one.close()
    for uid in (1, 2, 3):
        finish(other.expunge([uid]))
    assert finish(forgetful.one.status("INBOX")).messages == 1
    assert not forgetful.one.is_open


def test_an_index_that_is_made_again_opens_no_mailbox(twins: Twins) -> None:
    put(twins.one)
    finish(twins.one.status("INBOX"))
    for suffix in ("", "-wal", "-shm"):
        twins.index.with_name(twins.index.name + suffix).unlink(missing_ok=True)
    assert finish(twins.one.status("INBOX")).messages == 1
    assert not twins.one.is_open


def test_news_is_told_though_the_work_that_found_it_is_refused(twins: Twins) -> None:
    one, other = twins.both()
    put(twins.other)
    heard = listen(one)
    with refused("TRYCREATE"):
        finish(one.copy([1], "Absent"))
    finish(one.refresh())
    assert [type(change) for change in heard] == [EntriesAdded]
    assert len(twins.agree(one, other)) == 1


def test_a_mailbox_that_the_other_renamed_stays_open(twins: Twins) -> None:
    one, other = twins.both("Sent")
    heard: list[object] = []
    twins.one.watch(heard.append)
    put(twins.one, "Sent")
    finish(twins.other.rename("Sent", "Posted"))
    finish(one.mark([1], "add", normal(["\\Seen"])))
    assert one.name == "Posted"
    assert MailboxRenamed("Sent", "Posted") in heard
    assert len(twins.agree(one, other)) == 1


def test_a_mailbox_that_the_other_is_just_renaming_is_not_taken_for_another(
    twins: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = twins.both("Sent")
    heard = listen(one)
    database = twins.one._tree.index.database
    begin, renames = database.begin, iter([("Sent", "Posted")])

    def begin_after_the_other() -> None:
        for rename in renames:
            finish(twins.other.rename(*rename))
        begin()

    with monkeypatch.context() as patch:  # it renames while this one waits for its turn
        patch.setattr(database, "begin", begin_after_the_other)
        put(twins.one, "Posted")
    assert [type(change) for change in heard] == [MailboxRenamed, EntriesAdded]
    assert len(one.columns) == 1
    assert len(twins.agree(one, other)) == 1


def test_mailboxes_that_the_other_renamed_in_a_chain_are_followed(twins: Twins) -> None:
    names = ["a", "b", "c"]
    for name in names:
        finish(twins.one.create(name))
        put(twins.one, name)
    mailboxes = [finish(twins.one.open(name)) for name in names]
    uidvalidities = [mailbox.uidvalidity for mailbox in mailboxes]
    for name, new in (("c", "d"), ("b", "c"), ("a", "b")):
        finish(twins.other.rename(name, new))
    for mailbox in mailboxes:
        finish(mailbox.refresh())
    assert [mailbox.name for mailbox in mailboxes] == ["b", "c", "d"]
    there = [finish(twins.one.status(name)).uidvalidity for name in ("b", "c", "d")]
    assert there == uidvalidities


def test_a_mailbox_that_the_other_deleted_is_gone(twins: Twins) -> None:
    one, _ = twins.both("Sent")
    heard = listen(one)
    finish(twins.other.delete("Sent"))
    with refused("NONEXISTENT"):
        finish(one.refresh())
    assert heard == [MailboxDeleted("Sent")]
    with refused("NONEXISTENT"):
        finish(twins.one.status("Sent"))


def test_a_mailbox_that_the_other_made_again_is_another(twins: Twins) -> None:
    one, _ = twins.both("Sent")
    put(twins.one, "Sent")
    finish(twins.other.delete("Sent"))
    finish(twins.other.create("Sent"))
    status = finish(twins.one.status("Sent"))
    assert status.messages == 0
    assert status.uidvalidity > one.uidvalidity
    with refused("NONEXISTENT"):
        finish(one.refresh())
    assert put(twins.one, "Sent") == (1,)


def test_uidvalidities_of_both_are_different(twins: Twins) -> None:
    for number in range(5):
        finish(twins.one.create(f"one{number}"))
        finish(twins.other.create(f"other{number}"))
    names = [f"{who}{number}" for who in ("one", "other") for number in range(5)]
    given = [finish(twins.one.status(name)).uidvalidity for name in names]
    assert len(set(given)) == len(given)


def test_subscriptions_of_both_are_kept(twins: Twins) -> None:
    finish(twins.one.subscribe("a", True))
    finish(twins.other.subscribe("b", True))
    finish(twins.one.subscribe("Sent", False))
    for account in (twins.one, twins.other):
        found = {info.name for info in finish(account.mailboxes()) if info.is_subscribed}
        assert {"a", "b"} <= found
        assert "Sent" not in found


def test_subscriptions_of_the_other_are_told(twins: Twins) -> None:
    heard, others = listen(twins.one), listen(twins.other)
    finish(twins.other.subscribe("a", True))
    finish(twins.other.subscribe("Sent", False))
    finish(twins.one.subscribe("b", True))
    finish(twins.one.mailboxes())
    finish(twins.other.mailboxes())
    told = [
        SubscriptionChanged("Sent", False),
        SubscriptionChanged("a", True),
        SubscriptionChanged("b", True),
    ]
    assert heard == told
    assert others == [told[1], told[0], told[2]]


def test_subscriptions_of_another_program_are_told(twins: Twins) -> None:
    heard = listen(twins.one)
    path = twins.index.parent / "Maildir" / "subscriptions"
    path.write_bytes(b"V\t2\n\nINBOX\nSent\nTrash\tOld\nDrafts\nJunk\nTrash\n")
    finish(twins.one.status("INBOX"))
    assert heard == [SubscriptionChanged("Archive", False), SubscriptionChanged("Trash/Old", True)]
    path.unlink()
    finish(twins.one.subscribe("x", True))
    gone = ("Drafts", "INBOX", "Junk", "Sent", "Trash", "Trash/Old")
    assert heard[2:] == [
        *(SubscriptionChanged(name, False) for name in gone),
        SubscriptionChanged("x", True),
    ]


def test_special_uses_of_the_other_are_seen(twins: Twins) -> None:
    finish(twins.one.mailboxes())
    finish(twins.other.create("Kept", "\\Archive"))
    finish(twins.other.rename("Sent", "Posted"))
    finish(twins.other.delete("Junk"))
    seen = [
        {info.name: info.use for info in finish(account.mailboxes()) if info.use}
        for account in (twins.one, twins.other)
    ]
    assert seen[0] == seen[1]
    assert (seen[0]["Kept"], seen[0]["Posted"]) == ("\\Archive", "\\Sent")
    assert not {"Sent", "Junk"} & seen[0].keys()


def test_an_index_that_is_removed_under_both_is_made_again_once(twins: Twins) -> None:
    one, other = twins.both()
    put(twins.one, "INBOX", "\\Seen")
    for suffix in ("", "-wal", "-shm"):
        twins.index.with_name(twins.index.name + suffix).unlink(missing_ok=True)
    put(twins.other)
    for mailbox in (one, other):
        finish(mailbox.refresh())
    finish(one.mark([2], "add", normal(["\\Flagged"])))
    finish(other.refresh())
    for mailbox in (one, other):
        assert list(mailbox.columns.uids) == [1, 2]
        assert mailbox.columns.flags == [{"\\Seen"}, {"\\Flagged"}]
    assert not list(twins.index.parent.glob("*.damaged"))


def test_a_mailbox_that_the_other_renames_while_an_index_is_made_again_is_followed(
    twins: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("A", "B"):
        finish(twins.one.create(name))
        put(twins.one, name)
    opened = [finish(twins.one.open(name)) for name in ("A", "B")]
    for path in twins.index.parent.glob("index.sqlite3*"):
        path.unlink()
    compare_all = perform._compare_all

    def comparing(tree, work, folder):
        compare_all(tree, work, folder)
        if folder.name == "A":
            work.afterwards.append(rename)

    def rename() -> None:
        patch.undo()
        finish(twins.other.rename("A", "Renamed"))

    with monkeypatch.context() as patch:
        patch.setattr(perform, "_compare_all", comparing)
        finish(twins.one.mailboxes())
    assert [mailbox.name for mailbox in opened] == ["Renamed", "B"]
