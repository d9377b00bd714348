"""The doors between an SMTP session and the rest of the house."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from twisted_mail.interfaces import (
    AssumedLogin,
    BlobWriter,
    Blocking,
    Clock,
    Delivery,
    Directory,
    DomainCheck,
    Journal,
    Login,
    Mechanism,
    Policy,
    Queue,
    Router,
    Submitter,
)


@dataclass(frozen=True, slots=True)
class ArrivalStep:
    """One thing that is done with a message at its end, by its name.

    ``run`` is given the ``arrival.arrival.Arrival``, and alters it; where it has to wait, it returns
    something to await. It raises Refused or Unavailable when the message is not to be accepted. One that
    ``is_for_filters`` is passed over in a conversation that no filter is asked about, and one with
    ``fields`` where the header has none of these (lower-case names, of ``incoming_message.ASKED``).
    """

    name: str
    run: Callable[[Any], Awaitable[None] | None]
    is_for_filters: bool = False
    fields: frozenset[bytes] | None = None


@dataclass(frozen=True, slots=True)
class AddedStep:
    """A step of a plugin: the services that have it, and the name of the step it stands at.

    One of ``before`` and ``after`` is a name, and the other empty.
    """

    step: ArrivalStep
    services: Collection[str]
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class SmtpBackend:
    """The doors that SMTP needs; ``blob_writer`` makes a writer for one message.

    ``arrival`` is what is done with each message at its end, in this order; the last step is run in
    any case. ``delivery`` is for LMTP alone, ``assume_login`` for XCLIENT; ``domain_check`` looks at
    domains that are not ours, where mail for them goes to their own hosts.
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
    arrival: Sequence[ArrivalStep]
    delivery: Delivery | None = None
    assume_login: AssumedLogin | None = None
    domain_check: DomainCheck | None = None
