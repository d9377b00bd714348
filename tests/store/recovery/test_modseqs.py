"""Mod-sequences that were given out are never given out again, whatever becomes of the index."""

import dataclasses
import errno
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.faults import FailDisk, QuickDisk, StopDisk, Stopped
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

OPENED = frozenset({"connect"})


class ReadOnlyDisk(QuickDisk):
    """A file system that is mounted read-only: databases open only for reading."""

    def rename(self, path: bytes, new_path: bytes) -> None:
        raise OSError(errno.EROFS, "read-only")

    def connect(self, name: str, flags: int = 0, vfs: str | None = None) -> apsw.Connection:
        if not flags & apsw.SQLITE_OPEN_READONLY:
            raise apsw.CantOpenError("unable to open database file")
        return super().connect(name, flags, vfs)


class RestartedStore:
    """A store whose machine starts anew with ``start``, and only the server with ``restart``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = StillClock(2e9)
        self.boots = 0
        self.start()

    def start(self) -> None:
        self.boots += 1
        self._begin(QuickDisk())

    def restart(self, disk: QuickDisk) -> None:
        finish(self.store.close())
        self._begin(disk)

    def modseqs_read_only_and_again(self) -> list[int]:
        """Return those of Sent from a disk that cannot be written, and when it can be again."""
        found = []
        for disk in (ReadOnlyDisk(), QuickDisk()):
            self.restart(disk)
            found.append(self.modseq("Sent"))
        return found

    def restart_after_crash(self) -> None:
        self._begin(QuickDisk())

    def _begin(self, disk: QuickDisk) -> None:
        store = MaildirStore(
            self.root, InlineBlocking(), self.clock, FakeRenderer(), StoreServices(disk=disk)
        )
        store._environment = dataclasses.replace(store._environment, boot=f"boot {self.boots}")
        self.store = store
        self.clock.seconds += 10

    def lose_index(self) -> None:
        finish(self.store.close())
        for path in self.root.glob("*/*/index.sqlite3*"):
            path.unlink()
        self.start()

    def append(self, name: str) -> None:
        finish(finish(self.store.account(ALICE)).append(name, [draft(mail("one"))]))

    def modseq(self, name: str) -> int:
        return finish(finish(self.store.account(ALICE)).status(name)).highest_modseq


@pytest.fixture
def restarted(tmp_path: Path) -> RestartedStore:
    return RestartedStore(tmp_path)


def test_an_empty_mailbox_tells_no_lower_one_when_the_index_is_lost_after_a_start(
    restarted: RestartedStore,
) -> None:
    restarted.modseq("Sent")
    finish(restarted.store.close())
    restarted.start()
    told = restarted.modseq("Sent")
    restarted.lose_index()
    assert restarted.modseq("Sent") >= told


def test_each_loss_of_the_index_leads_to_higher_ones_even_soon_after_a_start(
    restarted: RestartedStore,
) -> None:
    finish(finish(restarted.store.account(ALICE)).append("Sent", [draft(mail("one"))]))
    restarted.lose_index()
    restarted.modseq("Sent")
    finish(restarted.store.close())
    restarted.start()
    told = restarted.modseq("Sent")
    restarted.lose_index()
    assert restarted.modseq("Sent") > told


def test_a_mailbox_that_the_index_thinks_empty_may_have_told_higher_ones(
    restarted: RestartedStore,
) -> None:
    restarted.modseq("Sent")
    finish(restarted.store.close())
    kept = {path: path.read_bytes() for path in restarted.root.glob("*/*/index.sqlite3*")}
    account = finish(restarted.store.account(ALICE))
    finish(account.append("Sent", [draft(mail("one"))]))
    for flags in ("Own", "Other"):
        sent = finish(account.open("Sent"))
        finish(sent.mark([1], "set", frozenset({flags})))
        sent.close()
    told = restarted.modseq("Sent")
    finish(restarted.store.close())
    for path, data in kept.items():
        path.write_bytes(data)
    restarted.start()
    assert restarted.modseq("Sent") > told


def test_they_go_on_when_the_index_could_not_be_opened(restarted: RestartedStore) -> None:
    restarted.append("Sent")
    restarted.restart(FailDisk(0, errno.EIO, OPENED))
    restarted.append("Sent")
    given = restarted.modseq("Sent")
    restarted.restart(QuickDisk())
    assert restarted.modseq("Sent") >= given


def test_they_go_on_when_no_index_could_be_opened_for_a_while(restarted: RestartedStore) -> None:
    restarted.append("Sent")
    for _ in range(2):
        restarted.restart(FailDisk(0, errno.EIO, OPENED))
        restarted.append("Sent")
        given = restarted.modseq("Sent")
    restarted.restart(QuickDisk())
    assert restarted.modseq("Sent") >= given


def test_they_go_on_when_an_empty_mailbox_was_filled_without_its_index(
    restarted: RestartedStore,
) -> None:
    restarted.modseq("Sent")
    for _ in range(2):
        restarted.restart(FailDisk(0, errno.EIO, OPENED))
        restarted.append("Sent")
        given = restarted.modseq("Sent")
    restarted.restart(QuickDisk())
    assert restarted.modseq("Sent") >= given


@pytest.mark.parametrize("stop_at", range(8))
def test_they_go_on_when_a_crash_stops_the_return_of_a_left_index(
    restarted: RestartedStore, stop_at: int
) -> None:
    restarted.append("Sent")
    restarted.restart(FailDisk(0, errno.EIO, OPENED))
    restarted.append("Sent")
    given = restarted.modseq("Sent")
    restarted.restart(StopDisk(stop_at))
    with suppress(Stopped):
        restarted.modseq("Sent")
    restarted.restart_after_crash()
    assert restarted.modseq("Sent") >= given


def test_they_are_the_same_on_a_disk_that_cannot_be_written(restarted: RestartedStore) -> None:
    restarted.append("Sent")
    given = restarted.modseq("Sent")
    assert restarted.modseqs_read_only_and_again() == [given, given]


def test_they_go_on_after_a_start_with_a_disk_that_cannot_be_written(
    restarted: RestartedStore,
) -> None:
    restarted.append("Sent")
    given = restarted.modseq("Sent")
    restarted.boots += 1
    later = restarted.modseqs_read_only_and_again()
    assert [given, *later] == sorted([given, *later])


def test_they_go_on_when_the_index_is_damaged_on_a_disk_that_cannot_be_written(
    restarted: RestartedStore,
) -> None:
    restarted.append("Sent")
    finish(restarted.store.close())
    [path] = restarted.root.glob("*/*/index.sqlite3")
    path.write_bytes(b"this is no database" * 1000)
    given = restarted.modseqs_read_only_and_again()
    assert given == sorted(given)


def test_an_index_that_can_be_neither_opened_nor_left_is_not_taken_for_a_lost_one(
    restarted: RestartedStore,
) -> None:
    restarted.append("Sent")
    given = restarted.modseq("Sent")
    restarted.restart(FailDisk(0, errno.EIO, OPENED | {"rename"}))
    with pytest.raises(Unavailable):
        restarted.modseq("Sent")
    restarted.restart(QuickDisk())
    assert restarted.modseq("Sent") == given
