"""An index that cannot be opened, or written, for a while."""

import dataclasses
import errno
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.faults import FailDisk, QuickDisk
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


class Restarted:
    """An account with a message in INBOX, served again and again on disks that fail."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = StillClock(2e9)
        self.serve(QuickDisk())
        self.put()

    def serve(self, disk: QuickDisk) -> None:
        self.store = MaildirStore(
            self.root, InlineBlocking(), self.clock, FakeRenderer(), StoreServices(disk=disk)
        )

    def restart(self, disk: QuickDisk | None = None) -> None:
        finish(self.store.close())
        self.clock.seconds += 10
        self.serve(disk or QuickDisk())

    def put(self) -> None:
        finish(finish(self.store.account(ALICE)).append("INBOX", [draft(mail("x"))]))

    def modseq(self) -> int:
        return finish(finish(self.store.account(ALICE)).status("INBOX")).highest_modseq

    @property
    def index(self) -> Path:
        return self.root / "example.org" / "alice" / "index.sqlite3"


@pytest.fixture
def restarted(tmp_path: Path) -> Iterator[Restarted]:
    made = Restarted(tmp_path)
    yield made
    finish(made.store.close())


@pytest.mark.parametrize("error", [errno.EMFILE, errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("step", ["connect", "commit", "checkpoint"])
@pytest.mark.parametrize("is_for_good", [False, True])
def test_after_a_time_without_the_file_mod_sequences_are_higher(
    restarted: Restarted, step: str, error: int, is_for_good: bool
) -> None:
    steps = frozenset({step})
    disk = FailDisk(0, error, steps) if is_for_good else FailDisk(0, error, among=steps)
    restarted.restart(disk)
    shown = [1]
    for _ in range(3):
        with suppress(Unavailable):
            restarted.put()
            shown.append(restarted.modseq())
    restarted.restart()
    before = restarted.modseq()
    assert before >= max(shown)
    restarted.put()
    assert restarted.modseq() > before


@pytest.mark.parametrize("is_for_good", [False, True])
def test_a_commit_that_fails_when_the_index_is_opened_after_a_start_loses_nothing(
    restarted: Restarted, is_for_good: bool
) -> None:
    """After a start of the machine the index is written to when it is opened."""
    finish(restarted.store.close())
    steps = frozenset({"commit"})
    restarted.serve(FailDisk(0, errno.ENOSPC, steps if is_for_good else frozenset(), steps))
    environment = dataclasses.replace(restarted.store._environment, boot="another boot")
    restarted.store._environment = environment
    shown = restarted.modseq()
    restarted.restart()
    assert restarted.modseq() >= shown
    assert not restarted.index.with_name("index.sqlite3.left").exists()
