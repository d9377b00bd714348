"""What tests of quotas do with an account."""

import os
from pathlib import Path

from tests.contracts.ground import draft, mail
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.store.quota import Usage
from twisted_mail.store.work import usage
from twisted_mail.testing.doubles import finish

TEXT = mail("x")


def put(account: MaildirAccount, name: str = "INBOX", number: int = 1) -> tuple[int, ...]:
    return finish(account.append(name, [draft(TEXT)] * number)).targets


def deliver(store: MaildirStore, *names: str) -> dict[str, MailError | None]:
    return dict(finish(store.deliver(names, Message(MemoryBlob(TEXT)))))


def counted(account: MaildirAccount) -> Usage:
    return finish(account.lane.perform(usage.survey))[0]


def drop(account: MaildirAccount, place: str, name: str) -> None:
    """Put a message into a mailbox as another program does."""
    (Path(os.fsdecode(account._tree.maildir)) / place / name).write_bytes(TEXT)
