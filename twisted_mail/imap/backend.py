"""What an IMAP session needs from outside of its room."""

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
    """The doors of an IMAP session; fields are named as in ``twisted_mail.plugin.ServerBackend``."""

    hostname: str
    clock: Clock
    blocking: Blocking
    journal: Journal
    mechanisms: Sequence[Mechanism]
    login_mailboxes: Login[Mailboxes]
    blob_writer: Callable[[], BlobWriter]
