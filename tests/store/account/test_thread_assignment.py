"""Tests of store.account.threading and the threads of a maildir, beyond the contract."""

import os
from collections.abc import Sequence
from pathlib import Path

import apsw
import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft
from tests.contracts.threads import letter
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.format import layout
from twisted_mail.store.index.schema import VERSION
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

STEP = 9  # the step of the schema that makes the tables of threads


class CountingDisk(Disk):
    """Notes how many octets of messages were read at a time."""

    def __init__(self) -> None:
        self.read_sizes: list[int] = []
        self.messages: set[int] = set()

    def open(self, path: bytes) -> int:
        fd = super().open(path)
        (self.messages.add if b"/cur/" in path else self.messages.discard)(fd)
        return fd

    def read(self, fd: int, size: int, at: int) -> bytes:
        data = super().read(fd, size, at)
        if fd in self.messages:
            self.read_sizes.append(len(data))
        return data


class ReopenedStore:
    """A store on a folder, reopened at will. Each message comes a second after the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = StillClock()
        self.disk = CountingDisk()
        self.start()

    def start(self) -> None:
        self.store = MaildirStore(
            self.folder, InlineBlocking(), self.clock, FakeRenderer(), StoreServices(disk=self.disk)
        )
        self.account = finish(self.store.account(ALICE))

    def restart(self) -> None:
        finish(self.store.close())
        self.start()

    @property
    def index(self) -> Path:
        home = os.fsdecode(layout.account_path(os.fsencode(self.folder), ALICE))
        return Path(home) / "index.sqlite3"

    def come(self, name: str, *letters: bytes) -> tuple[int, ...]:
        uids = []
        for data in letters:
            self.clock.seconds += 1
            uids += finish(self.account.append(name, [draft(data)])).targets
        return tuple(uids)

    def threads(self, name: str, uids: Sequence[int] = ()) -> list[str | None]:
        mailbox = finish(self.account.open(name))
        found = list(finish(mailbox.threads(uids or mailbox.columns.uids)))
        mailbox.close()
        return found


@pytest.fixture
def reopened(tmp_path: Path) -> ReopenedStore:
    return ReopenedStore(tmp_path)


def told(reopened: ReopenedStore) -> dict[str, list[str | None]]:
    return {name: reopened.threads(name) for name in ("Sent", "INBOX", "Archive")}


def test_threads_are_the_same_when_the_index_was_lost(reopened: ReopenedStore) -> None:
    for name, data in (
        ("INBOX", letter("a")),
        ("Sent", letter("b", replying_to="a")),
        ("INBOX", letter("c", replying_to="b")),
        ("Archive", letter("d")),
        ("Archive", letter("e", "d", "c")),
        ("Sent", letter("f", replying_to="d")),
        ("INBOX", letter("")),
    ):
        reopened.come(name, data)
        reopened.threads(name)
    mailbox = finish(reopened.account.open("INBOX"))
    finish(mailbox.copy(mailbox.columns.uids, "Archive"))
    mailbox.close()
    before = told(reopened)
    assert len({thread for threads in before.values() for thread in threads}) == 3
    finish(reopened.store.close())
    for suffix in ("", "-wal", "-shm"):
        Path(f"{reopened.index}{suffix}").unlink(missing_ok=True)
    reopened.start()
    assert told(reopened) == before


def test_mailboxes_that_nobody_opened_are_placed_with_the_first(reopened: ReopenedStore) -> None:
    [first] = reopened.come("Archive", letter("a", "x"))
    reopened.come("Sent", letter("b", replying_to="a"))
    reopened.come("INBOX", letter("c", replying_to="b"))
    finish(reopened.store.close())
    reopened.index.unlink()
    reopened.start()
    [thread] = reopened.threads("INBOX")
    assert reopened.threads("Archive", [first]) == [thread]


def test_a_message_is_read_once_and_only_its_header(reopened: ReopenedStore) -> None:
    large = letter("a") + b"x" * 1_000_000
    reopened.come("INBOX", large, letter("b"))
    reopened.threads("INBOX")
    assert reopened.disk.read_sizes == [32 * 1024, len(letter("b"))]
    reopened.threads("INBOX")
    reopened.restart()
    reopened.threads("INBOX")
    assert len(reopened.disk.read_sizes) == 2


def test_thousands_of_messages_are_placed_in_pieces(reopened: ReopenedStore) -> None:
    drafts = [draft(letter(str(number), str(number // 10 * 10))) for number in range(450)]
    finish(reopened.account.append("INBOX", drafts))
    assert len(set(reopened.threads("INBOX"))) == 45


def test_two_who_ask_at_the_same_time_are_told_the_same(reopened: ReopenedStore) -> None:
    uids = reopened.come("INBOX", *[letter(str(number)) for number in range(250)])
    mailbox = finish(reopened.account.open("INBOX"))
    reopened.account._services.threads._is_busy = True
    alone = finish(mailbox.threads(uids))
    reopened.account._services.threads._is_busy = False
    assert finish(mailbox.threads(uids)) == alone
    assert len(set(alone)) == 250


def test_a_message_whose_file_is_gone_holds_nobody_up(reopened: ReopenedStore) -> None:
    uids = reopened.come("INBOX", letter("a"), letter("b", "a"))
    [file] = [path for path in reopened.folder.rglob("cur/*") if b"<b@" in path.read_bytes()]
    file.unlink()
    mailbox = finish(reopened.account.open("INBOX"))
    found = finish(mailbox.threads(uids))
    assert found[0] is not None
    assert found[1] is None


def test_an_index_of_before_keeps_all_and_learns_the_threads(reopened: ReopenedStore) -> None:
    uids = reopened.come("INBOX", letter("a"), letter("b", "a"))
    mailbox = finish(reopened.account.open("INBOX"))
    finish(mailbox.mark(uids[:1], "add", frozenset({"\\Seen", "work"})))
    rows = list(mailbox.columns)
    finish(reopened.store.close())
    old = apsw.Connection(str(reopened.index))
    for table in ("threads", "thread_names", "threaded", "placed"):
        old.execute(f"DROP TABLE {table}")
    old.execute("ALTER TABLE items DROP COLUMN tier")
    old.pragma("user_version", STEP - 1)
    old.close()
    reopened.start()
    mailbox = finish(reopened.account.open("INBOX"))
    assert list(mailbox.columns) == rows
    assert len(set(reopened.threads("INBOX"))) == 1
    finish(reopened.store.close())
    assert apsw.Connection(str(reopened.index)).pragma("user_version") == VERSION
