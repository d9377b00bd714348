"""The doors between an SMTP session and the rest of the house."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from twisted_mail.interfaces import (
    AssumedLogin,
    BlobWriter,
    Blocking,
    Clock,
    Delivery,
    Directory,
    Journal,
    Login,
    Mechanism,
    Policy,
    Queue,
    Router,
    Submitter,
)


@dataclass(frozen=True, slots=True)
class SmtpBackend:
    """The doors that SMTP needs; ``blob_writer`` makes a writer for one message.

    ``delivery`` is for LMTP alone, ``assume_login`` for XCLIENT.
    """

    hostname: str
    clock: Clock
    blocking: Blocking
    journal: Journal
    directory: Directory
    router: Router
    queue: Queue
    policy: Policy
    mechanisms: Sequence[Mechanism]
    login_submitter: Login[Submitter]
    blob_writer: Callable[[], BlobWriter]
    delivery: Delivery | None = None
    assume_login: AssumedLogin | None = None
