"""The doors between an IMAP session and the rest of the house."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from twisted_mail.interfaces import (
    BlobWriter,
    Blocking,
    Clock,
    Journal,
    Login,
    Mailboxes,
    Mechanism,
)


@dataclass(frozen=True, slots=True)
class ImapBackend:
    """The doors an IMAP session needs; the fields are those of ``twisted_mail.plugin.ImapBackend``."""

    hostname: str
    clock: Clock
    blocking: Blocking
    journal: Journal
    mechanisms: Sequence[Mechanism]
    login_mailboxes: Login[Mailboxes]
    blob_writer: Callable[[], BlobWriter]
