"""A maildir that is watched, with the kernel's own events and no reactor."""

from pathlib import Path
from typing import Any

from tests.contracts.ground import ALICE, FakeRenderer, mail
from tests.faults import QuickDisk
from twisted_mail.interfaces import Mailbox
from twisted_mail.net.process.inotify import Inotify
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal

LATER = 2_500_000_000


class Reactor:
    """Calls later what it is told to, when it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, tuple[Any, ...]]] = []

    def addReader(self, _: object) -> None: ...

    def removeReader(self, _: object) -> None: ...

    def seconds(self) -> float:
        return 0.0

    def callLater(self, _: float, call: Any, *args: Any) -> None:
        self.calls.append((call, args))


class CountingDisk(QuickDisk):
    """Counts the listings of folders."""

    def __init__(self) -> None:
        self.listings = 0

    def names(self, path: bytes) -> list[bytes]:
        self.listings += 1
        return super().names(path)

    def files(self, path: bytes) -> list[bytes]:
        self.listings += 1
        return super().files(path)


class WatchedMaildir:
    """A watched store, its account alice, and her maildir as another program sees it."""

    def __init__(self, root: Path) -> None:
        self.maildir = root / "example.org" / "alice" / "Maildir"
        self.reactor, self.disk, self.clock = Reactor(), CountingDisk(), StillClock(LATER)
        self.monitor = Inotify(self.reactor, ListJournal())
        self.blocking = InlineBlocking()
        self.store = MaildirStore(
            root,
            self.blocking,
            self.clock,
            FakeRenderer(),
            StoreServices(disk=self.disk, monitor=self.monitor),
        )
        self.account = finish(self.store.account(ALICE))
        self.works = 0
        self._count_works()

    def _count_works(self) -> None:
        run = self.account.lane._blocking.run

        async def counted(*args: Any, **kwargs: Any) -> Any:
            self.works += 1
            return await run(*args, **kwargs)

        self.account.lane._blocking.run = counted  # type: ignore[method-assign]

    def open(self, name: str = "INBOX") -> Mailbox:
        mailbox = finish(self.account.open(name))
        finish(mailbox.refresh())
        mailbox.claim_recent()
        finish(mailbox.refresh())
        self.turn()
        self.works = self.disk.listings = 0
        return mailbox

    def turn(self) -> None:
        """Let the reactor read, and do what is due."""
        self.monitor.doRead()
        calls, self.reactor.calls = self.reactor.calls, []
        for call, args in calls:
            call(*args)

    def drop(self, name: str, data: bytes = mail("dropped")) -> Path:
        written = self.maildir / "tmp" / "written"
        written.write_bytes(data)
        return written.rename(self.maildir / name)
