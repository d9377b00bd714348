"""Inboxes that messages are delivered into, on a disk that notes its syncs."""

import errno
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.contracts.ground import ALICE, BOB, NotedBlob, mail
from tests.contracts.meanwhile import together
from tests.faults import QuickDisk
from twisted_mail.interfaces import Blocking
from twisted_mail.mail.message import Message
from twisted_mail.store.delivery.group_commit import GroupCommit
from twisted_mail.store.delivery.inbound import InboxDelivery
from twisted_mail.store.environment import StoreEnvironment
from twisted_mail.store.format.filename import Namer
from twisted_mail.store.settings import StoreSettings
from twisted_mail.testing.doubles import StillClock

CAROL = "carol@example.org"


class WatchedDisk(QuickDisk):
    """Notes its syncs, and what is in the folders ``new`` at each; fails those in ``failing``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.syncs: list[str] = []
        self.visible: list[int] = []  # at each sync of all
        self.failing: dict[str, int] = {}  # which of them, counted from 0
        self.seconds: Callable[[], object] = lambda: None
        self.elsewhere: bytes | None = None  # files below are on another file system
        self.paths: dict[int, bytes] = {}

    def create(self, path: bytes) -> int:
        fd = super().create(path)
        self.paths[fd] = path
        return fd

    def device(self, fd: int) -> int:
        path = self.paths.get(fd, b"")
        return 2 if self.elsewhere is not None and self.elsewhere in path else 1

    def _sync(self, name: str) -> None:
        number = self.syncs.count(name)
        self.syncs.append(name)
        if self.failing.get(name) == number:
            raise OSError(errno.EIO, "as told")

    def sync_file(self, fd: int) -> None:
        self._sync("file")

    def sync_folder(self, path: bytes) -> None:
        self._sync("folder")

    def sync_all_verified(self, fd: int) -> None:
        self.sync_all(fd)

    def sync_all(self, fd: int) -> None:
        self.visible.append(len(list(self.root.glob("*/*/Maildir/new/*"))))
        self.seconds()
        self._sync("all")


class Inboxes:
    """Group commit into maildirs that are there already."""

    def __init__(self, root: Path, blocking: Blocking) -> None:
        self.root = root
        self.disk = WatchedDisk(root)
        self.clock = StillClock(2e9)
        self.environment = StoreEnvironment(
            self.disk, self.clock, Namer("host"), "boot", StoreSettings()
        )
        self.group_commit = GroupCommit(self.environment, bytes(root), blocking)
        self._make_maildirs()

    def _make_maildirs(self) -> None:
        for name in (ALICE, BOB, CAROL):
            self.make_folder(name, "")

    def deliver(self, *deliveries: tuple[Any, ...]) -> list[Any]:
        """Deliver at once; the group takes what has gathered when its turn comes.

        Each is a tuple of what ``delivered`` takes.
        """
        return together([self.delivered(*each) for each in deliveries])

    async def delivered(
        self, names: Sequence[str], message: Message, mailboxes: Mapping[str, str] | None = None
    ) -> Any:
        """Deliver one message; return its answers."""
        delivery = InboxDelivery(self.environment, bytes(self.root), names, message, mailboxes)
        return await self.group_commit.deliver(delivery)

    def folder(self, name: str, mailbox: str = "") -> Path:
        local, _, domain = name.partition("@")
        return self.root / domain / local / "Maildir" / mailbox

    def make_folder(self, name: str, mailbox: str) -> None:
        for place in ("cur", "new", "tmp"):
            (self.folder(name, mailbox) / place).mkdir(parents=True)

    def texts(self, name: str, mailbox: str = "") -> list[bytes]:
        new = self.folder(name, mailbox) / "new"
        return sorted(path.read_bytes() for path in new.iterdir())

    @property
    def left(self) -> list[Path]:
        return list(self.root.glob("*/*/Maildir/tmp/*"))


def message(text: str) -> Message:
    return Message(NotedBlob(mail(text)))
