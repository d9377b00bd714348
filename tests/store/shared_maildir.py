"""A maildir that another program writes into while the store serves it."""

import os
from pathlib import Path

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.faults import QuickDisk
from twisted_mail.mail.mailbox.entry import MessageRange
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

LATER = 2_500_000_000  # the clock stands after all dates of files


class SharedMaildir:
    """A store, its account alice, and her maildir as another program sees it."""

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self.root = root
        self.disk = disk or QuickDisk()
        self.render = FakeRenderer()
        self.maildir = root / "example.org" / "alice" / "Maildir"
        self.restart()

    def restart(self) -> None:
        self.clock = clock = StillClock(LATER)
        self.store = MaildirStore(
            self.root, InlineBlocking(), clock, self.render, StoreServices(disk=self.disk)
        )

    @property
    def account(self) -> MaildirAccount:
        return finish(self.store.account(ALICE))

    def open(self, name: str = "INBOX"):
        return finish(self.account.open(name))

    def close(self) -> None:
        finish(self.store.close())

    def drop(self, name: str, data: bytes = mail("dropped"), age: int = 0) -> Path:
        """Put a file where another program puts it."""
        path = self.maildir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (1_000_000_000 - age, 1_000_000_000 - age))
        return path

    def files(self, *places: str) -> list[str]:
        return sorted(name for place in places for name in os.listdir(self.maildir / place))


def uids(mailbox) -> list[int]:
    return list(mailbox.columns.uids)


def texts(mailbox) -> list[bytes | None]:
    return finish(mailbox.read([MessageRange(uid) for uid in uids(mailbox)]))


def filled(shared: SharedMaildir) -> dict[int, tuple[bytes | None, frozenset[str], int, int]]:
    finish(shared.account.append("INBOX", [draft(mail(n), "\\Seen", "$Work") for n in "abc"]))
    finish(shared.store.deliver([ALICE], Message(MemoryBlob(mail("d")))))
    inbox = shared.open()
    finish(inbox.expunge([2]))
    finish(inbox.mark([1], "add", normal(["\\Flagged"])))
    return seen(inbox)


def seen(mailbox) -> dict[int, tuple[bytes | None, frozenset[str], int, int]]:
    columns = mailbox.columns
    rows = zip(texts(mailbox), columns.flags, columns.dates, columns.sizes, strict=True)
    return dict(zip(columns.uids, rows, strict=True))


def lose(shared: SharedMaildir) -> None:
    for path in shared.root.glob("*/*/index.sqlite3*"):
        path.unlink()
