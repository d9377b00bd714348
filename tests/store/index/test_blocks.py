"""Mailboxes whose messages come by the thousand: here by the pair."""

import errno
import os
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.ground import ALICE, FakeRenderer, flags_of, mail
from tests.faults import QuickDisk
from twisted_mail.mail.mailbox.entry import Contains, Entry, MessageRange
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.index import blocks, read_only
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.transaction import transaction
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

FLAGGED = normal(["\\Flagged"])


class BlockStore:
    """A store whose parcels are small, and a maildir that another program filled."""

    def __init__(self, root: Path) -> None:
        self.path = root / "example.org" / "alice"
        self.root = root
        (self.path / "Maildir" / "cur").mkdir(parents=True)
        self.restart()

    def restart(self) -> None:
        disk, clock = QuickDisk(), StillClock(2.5e9)
        self.store = MaildirStore(
            self.root, InlineBlocking(), clock, FakeRenderer(), StoreServices(disk=disk)
        )

    def drop(self, *numbers: int) -> None:
        for number in numbers:
            path = self.path / "Maildir" / "cur" / f"{1_000_000_000 + number}.a:2,S"
            path.write_bytes(mail(str(number)))
            os.utime(path, (1_000_000_000, 1_000_000_000))

    @property
    def account(self) -> MaildirAccount:
        return finish(self.store.account(ALICE))

    def open(self):
        return finish(self.account.open("INBOX"))

    def known(self) -> list[int]:
        return [
            row.uid for row in read_only.read_index(Disk(), os.fsencode(self.path)).known[b""].rows
        ]


@pytest.fixture
def alice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BlockStore:
    monkeypatch.setattr(blocks, "LEAST", 2)
    monkeypatch.setattr(blocks, "SIZE", 3)
    alice = BlockStore(tmp_path)
    alice.drop(*range(8))
    return alice


def texts(mailbox) -> list[bytes | None]:
    return finish(mailbox.read([MessageRange(uid) for uid in mailbox.columns.uids]))


# ---------------------------------------------------------------- packing

entries = st.builds(
    Entry,
    st.integers(1, 2**32 - 1),
    st.lists(st.sampled_from(["\\Seen", "\\Flagged", "$Junk", "x"]), max_size=3).map(normal),
    st.integers(1, 2**63 - 1),
    st.integers(-(2**62), 2**40),
    st.integers(0, 2**40),
)


@given(st.lists(entries, min_size=1, max_size=20, unique_by=lambda entry: entry.uid))
def test_packing_and_unpacking_are_inverses(some: list[Entry]) -> None:
    columns, found = EntryColumns(), EntryColumns()
    columns.add(sorted(some))
    blocks.unpack(found, *blocks.pack(columns, 0, len(columns)))
    assert list(found) == list(columns) == sorted(some)


def test_columns_are_joined_as_a_whole() -> None:
    one = EntryColumns(
        array("Q", [1]), [FLAGGED], array("Q", [7]), array("q", [1]), array("Q", [2]), 2, 7
    )
    two = EntryColumns()
    two.add(one)
    two.add([Entry(2, FLAGGED, 9, 3, 4)])
    assert list(two) == [Entry(1, FLAGGED, 7, 1, 2), Entry(2, FLAGGED, 9, 3, 4)]
    assert (two.uidnext, two.highest_modseq) == (3, 9)


# ---------------------------------------------------------------- mailboxes


def test_all_that_was_there_is_seen(alice: BlockStore) -> None:
    inbox = alice.open()
    assert list(inbox.columns.uids) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert flags_of(inbox) == [{"\\Seen"}] * 8
    assert texts(inbox) == [mail(str(number)) for number in range(8)]


def test_the_first_opening_shows_what_later_ones_show(alice: BlockStore) -> None:
    lines = [f"{number + 11} :{1_000_000_000 + number}.a\n" for number in range(8)]
    (alice.path / "Maildir" / "dovecot-uidlist").write_text("3 V1 N99\n" + "".join(lines))
    first = alice.open().columns
    alice.restart()
    again = alice.open().columns
    assert list(first) == list(again)
    assert first.uidnext == again.uidnext == 99
    assert first.highest_modseq == again.highest_modseq


def test_many_files_that_are_not_in_order_of_age_are_seen(alice: BlockStore) -> None:
    for name in ("99.a:2,S", "1000000003.b:2,", "1000000003.a,X=1:2,"):
        (alice.path / "Maildir" / "cur" / name).write_bytes(mail(name))
    mailbox = alice.open()
    assert list(mailbox.columns.uids) == list(range(1, 12))
    assert alice.known() == list(range(1, 12))


def test_a_name_that_stands_for_two_of_many_files_is_parted(alice: BlockStore) -> None:
    (alice.path / "Maildir" / "new").mkdir()
    (alice.path / "Maildir" / "new" / "1000000003.a").write_bytes(mail("another"))
    assert list(alice.open().columns.uids) == list(range(1, 10))
    alice.restart()
    assert list(alice.open().columns.uids) == list(range(1, 10))


class OnceFailing(QuickDisk):
    """A disk that fails at its first sync of data."""

    has_failed = False

    def sync_data(self, fd: int) -> None:
        if not self.has_failed:
            self.has_failed = True
            raise OSError(errno.EIO, "")


def test_many_files_are_told_only_when_their_numbers_are_on_disk(alice: BlockStore) -> None:
    disk, clock = OnceFailing(), StillClock(2.5e9)
    alice.store = MaildirStore(
        alice.root, InlineBlocking(), clock, FakeRenderer(), StoreServices(disk=disk)
    )
    account = alice.account
    with pytest.raises(Unavailable):
        finish(account.open("INBOX"))
    assert read_only.read_index(Disk(), os.fsencode(alice.path)).known == {}
    uids = list(finish(account.open("INBOX")).columns.uids)
    alice.restart()
    assert len(uids) == 8
    assert list(alice.open().columns.uids) == uids


def test_looking_from_outside_shows_what_is_no_row_yet(alice: BlockStore) -> None:
    alice.open()
    assert alice.known() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_reading_one_message_needs_no_rows_of_others(alice: BlockStore) -> None:
    inbox = alice.open()
    assert finish(inbox.read([MessageRange(5)])) == [mail("4")]
    assert alice.known() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert texts(inbox) == [mail(str(number)) for number in range(8)]


def test_alterations_are_found_by_a_later_process(alice: BlockStore) -> None:
    inbox = alice.open()
    finish(inbox.mark([2], "add", FLAGGED))
    finish(inbox.expunge([4, 5]))
    alice.drop(9)
    finish(inbox.refresh())
    alice.restart()
    again = alice.open()
    assert list(again.columns) == list(inbox.columns)
    assert list(again.columns.uids) == [1, 2, 3, 6, 7, 8, 9]
    assert flags_of(again)[1] == {"\\Seen", "\\Flagged"}


def test_one_opening_after_the_other_shows_the_same(alice: BlockStore) -> None:
    first = alice.open()
    finish(first.measure(first.columns.uids))
    for uid in (1, 4, 8):
        finish(first.mark([uid], "add", normal([f"$K{uid}"])))
        alice.restart()
        again = alice.open()
        assert list(again.columns) == list(first.columns)
        assert set(again.keywords) == set(first.keywords)


def test_thousands_that_come_later_are_seen(alice: BlockStore) -> None:
    inbox = alice.open()
    alice.drop(*range(20, 27))
    finish(inbox.refresh())
    assert list(inbox.columns.uids) == list(range(1, 16))
    assert texts(inbox)[8:] == [mail(str(number)) for number in range(20, 27)]


def test_copying_moving_counting_and_searching_find_them(alice: BlockStore) -> None:
    inbox = alice.open()
    assert finish(inbox.matching([1, 8], Contains("text", "is 7"))) == {8}
    finish(inbox.copy([1, 2], "Archive"))
    finish(inbox.move([3], "Archive"))
    status = finish(alice.account.status("INBOX"))
    assert (status.messages, status.unseen, status.size) == (7, 0, 7 * len(mail("1")))
    assert finish(alice.account.status("Archive")).messages == 3


def test_a_file_in_new_moves_to_cur_when_it_was_told(alice: BlockStore) -> None:
    new = alice.path / "Maildir" / "new"
    new.mkdir(exist_ok=True)
    for number in range(4):
        (new / f"{1_000_000_100 + number}.b").write_bytes(mail("new"))
    inbox = alice.open()
    assert inbox.claim_recent() == 9
    finish(inbox.refresh())
    assert os.listdir(new) == []
    assert texts(inbox)[8:] == [mail("new")] * 4


# ---------------------------------------------------------------- only what a change touches


def apart(alice: BlockStore) -> list[int]:
    """Return the first UIDs of the parcels that are no rows yet."""
    connection = alice.account._tree.index.database.connection
    found = connection.execute("SELECT first FROM parcels WHERE is_apart ORDER BY first")
    return [first for (first,) in found]


def test_newcomers_leave_the_others_in_their_parcels(alice: BlockStore) -> None:
    inbox = alice.open()
    assert apart(alice) == [1, 4, 7]
    new = alice.path / "Maildir" / "new"
    for number in range(4):
        (new / f"{1_000_000_100 + number}.b").write_bytes(mail("new"))
        os.utime(new, (1_000_000_100 + number,) * 2)
        finish(inbox.refresh())
    assert apart(alice) == [1, 4, 7]
    assert list(inbox.columns.uids) == list(range(1, 13))
    assert texts(inbox)[8:] == [mail("new")] * 4


def test_a_file_of_a_parcel_that_lies_in_new_again_is_no_newcomer(alice: BlockStore) -> None:
    inbox = alice.open()
    old = alice.path / "Maildir" / "cur" / "1000000004.a:2,S"
    old.rename(alice.path / "Maildir" / "new" / "1000000004.a")
    finish(inbox.refresh())
    assert list(inbox.columns.uids) == list(range(1, 9))
    assert texts(inbox)[4] == mail("4")
    assert flags_of(inbox)[4] == set()


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_removals_by_others_touch_only_their_parcels(alice: BlockStore, number: int) -> None:
    inbox = alice.open()
    for each in range(number):
        (alice.path / "Maildir" / "cur" / f"{1_000_000_000 + each}.a:2,S").unlink()
    finish(inbox.refresh())
    assert list(inbox.columns.uids) == list(range(1, 9))[number:]
    assert apart(alice) == ([4, 7] if number <= 3 else [7])


def test_measuring_a_few_takes_only_their_parcels(alice: BlockStore) -> None:
    inbox = alice.open()
    finish(inbox.measure([5]))
    assert apart(alice) == [1, 7]
    tree = alice.account._tree
    with transaction(tree) as work:
        state = mailbox_row(tree.folder(b""), work)
        assert [row.uid for row in work.index.unmeasured(state, 5, 1)] == [6]
        assert apart(alice) == [1]
        assert [row.uid for row in work.index.unmeasured(state, 0, 2)] == [1, 2]
        assert apart(alice) == []


def test_the_next_messages_behind_a_uid_are_found_in_parcels_and_rows(alice: BlockStore) -> None:
    inbox = alice.open()
    finish(inbox.read([MessageRange(5)]))
    tree = alice.account._tree
    with transaction(tree) as work:
        state = mailbox_row(tree.folder(b""), work)
        assert [found[0] for found in work.index.identities(state, 5, 2)] == [6, 7]
        assert [found[0] for found in work.index.identities(state, 2, 3)] == [3, 4, 5]
        assert [found[0] for found in work.index.identities(state, 0, -1)] == list(range(1, 9))


def test_only_parcels_that_were_altered_since_are_looked_at(alice: BlockStore) -> None:
    inbox = alice.open()
    modseq = inbox.columns.highest_modseq
    alice.drop(*range(20, 23))
    finish(inbox.refresh())
    tree = alice.account._tree
    with transaction(tree) as work:
        state = mailbox_row(tree.folder(b""), work)
        assert [row.uid for row in work.index.changed(state, modseq)] == [9, 10, 11]
    assert apart(alice) == [1, 4, 7]
