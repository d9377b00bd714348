"""The account of the stories, and what a client sees of it."""

from dataclasses import dataclass
from pathlib import Path

from tests.contracts.ground import ALICE, FakeRenderer
from tests.faults import (
    QuickDisk,
)
from twisted_mail.interfaces import Account, FaultReport, unreported
from twisted_mail.mail.mailbox.entry import MessageRange
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.settings import StoreSettings
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


def store_at(root: Path, disk: Disk, report_fault: FaultReport = unreported) -> MaildirStore:
    limits = StoreSettings(quota_messages=100)  # so that room is looked for on the way
    clock = StillClock(2e9)
    return MaildirStore(
        root,
        InlineBlocking(),
        clock,
        FakeRenderer(),
        StoreServices(settings=limits, disk=disk, report_fault=report_fault),
    )


@dataclass(frozen=True)
class Seen:
    """One mailbox as a client sees it: text and flags by UID."""

    uidvalidity: int
    messages: dict[int, tuple[bytes, frozenset[str]]]
    uidnext: int
    highest_modseq: int

    @property
    def as_numbered(self) -> tuple[object, ...]:
        """Return all but the modseq, which rises where a store finds what it did not know."""
        return self.uidvalidity, self.messages, self.uidnext

    @property
    def texts(self) -> list[bytes]:
        return sorted(text for text, _ in self.messages.values())


def look(account: Account, name: str) -> Seen:
    mailbox = finish(account.open(name))
    uids = list(mailbox.columns.uids)
    texts = finish(mailbox.read([MessageRange(uid) for uid in uids]))
    found = dict(zip(uids, zip(texts, mailbox.columns.flags, strict=True), strict=True))
    columns = mailbox.columns
    seen = Seen(mailbox.uidvalidity, found, columns.uidnext, columns.highest_modseq)
    mailbox.close()
    return seen


def look_all(root: Path) -> dict[str, Seen]:
    store = store_at(root, QuickDisk())
    account = finish(store.account(ALICE))
    infos = finish(account.mailboxes())
    seen = {info.name: look(account, info.name) for info in infos if info.is_selectable}
    finish(store.close())
    return seen
