"""The maker interfaces, and how plugins are found.

A plugin is an object in a module of ``twisted_mail.plugins`` that provides one of these interfaces;
``twisted.plugin.getPlugins`` finds it there. Our own protocols and filters are found in the same way.
Login methods are ``twisted.cred.strcred`` checkers and need nothing of ours.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from twisted.plugin import IPlugin, getPlugins
from zope.interface import Attribute, Interface, implementer

from twisted_mail import plugins
from twisted_mail.interfaces import (
    AssumedLogin,
    BlobWriter,
    Blocking,
    Carrier,
    CarrierBackend,
    Clock,
    Connector,
    Delivery,
    Directory,
    DomainCheck,
    Filter,
    HttpClient,
    Journal,
    Login,
    Mailboxes,
    Maildrop,
    Mechanism,
    Policy,
    Queue,
    Resolver,
    Router,
    Session,
    Store,
    Submitter,
    Wire,
)
from twisted_mail.smtp.arrival.added_steps import with_added
from twisted_mail.smtp.backend import AddedStep, ArrivalStep


@dataclass(frozen=True, slots=True)
class ServerBackend:
    """Every door of the server, for makers to pick from.

    ``login_*`` are the portal for one face each; ``blob_writer`` makes a new writer for the bytes of one
    message. ``state`` is the folder for what the server has to keep; without one, nothing outlives the
    process. ``delivery`` is final delivery alone, past any queue; ``assume_login`` logs in without a
    password a user whose password a trusted proxy has checked.
    ``arrival`` is what a service does with each message at its end, each its own; ``added_steps`` is
    what plugins add to it.
    ``connector`` and ``http_client`` lead to other programs, which only a running server asks.
    ``domain_check`` looks at domains that are not ours, where mail for them goes to their own hosts.
    """

    hostname: str
    clock: Clock
    blocking: Blocking
    journal: Journal
    directory: Directory
    router: Router
    queue: Queue
    policy: Policy
    store: Store
    mechanisms: Sequence[Mechanism]
    login_mailboxes: Login[Mailboxes]
    login_maildrop: Login[Maildrop]
    login_submitter: Login[Submitter]
    blob_writer: Callable[[], BlobWriter]
    resolver: Resolver
    state: Path | None = None
    delivery: Delivery | None = None
    assume_login: AssumedLogin | None = None
    connector: Connector | None = None
    http_client: HttpClient | None = None
    arrival: Sequence[ArrivalStep] = ()
    added_steps: Sequence[AddedStep] = ()
    domain_check: DomainCheck | None = None


class IProtocol(Interface):
    """A protocol that a ``[[listener]]`` may name as its ``service``."""

    name = Attribute("The word in the configuration, and the section with the settings: 'imap'.")
    help = Attribute("One line for people.")
    busy = Attribute("The reply to a connection beyond the limit: that the server is busy.")
    settings = Attribute("A frozen dataclass with a default for each field: the section's options.")
    is_spread = Attribute(
        "Whether workers may serve it: no two of its conversations need one process. Optional: False."
    )

    def make(settings: object, backend: ServerBackend) -> object:
        """Return a ``Callable[[Wire], Session]``: one conversation for each connection."""


class IFilter(Interface):
    """A kind of filter that a ``[[filter]]`` may name as its ``kind``."""

    name = Attribute("The word in the configuration: 'greylist'.")
    help = Attribute("One line for people.")
    settings = Attribute("A frozen dataclass with a default for each field: the table's options.")
    is_common = Attribute(
        "Whether one object must judge all conversations, also those of workers: because it counts,"
        " say. Then it does not get the octets of header and message, and all recipients together"
        " at the last stage only. Optional: False."
    )

    def make(settings: object, backend: ServerBackend) -> object:
        """Return an ``interfaces.Filter``; called once, before the first connection.

        It may be an ``interfaces.StatefulFilter`` too. ``backend.policy`` has no filters.
        """


class IImapExtension(Interface):
    """An extension of IMAP, which every IMAP service has while the plugin is installed."""

    name = Attribute(
        "The extension's name: 'PREVIEW'. Its order among those of plugins is by name."
    )
    help = Attribute("One line for people.")

    def make(settings: object, backend: ServerBackend) -> object:
        """Return a ``twisted_mail.imap.extensions.extension.Extension``.

        Called once for each listener, with the settings of the section ``[imap]``.
        """


class IArrivalStep(Interface):
    """A kind of step in a message's arrival that an ``[[arrival_step]]`` may name as its ``kind``."""

    name = Attribute("The word in the configuration, and the name of the step: 'sign'.")
    help = Attribute("One line for people.")
    settings = Attribute("A frozen dataclass with a default for each field: the table's options.")
    before = Attribute("The name of the step that it stands before: 'accept'. Or empty.")
    after = Attribute("The name of the step that it stands after, if ``before`` is empty: 'spool'.")

    def make(settings: object, backend: ServerBackend) -> object:
        """Return what ``smtp.backend.ArrivalStep.run`` is; called once, before the first connection."""


class ICarrier(Interface):
    """A kind of carrier of the queue that a ``[[carrier]]`` may name as its ``kind``."""

    name = Attribute("The word in the configuration.")
    help = Attribute("One line for people.")
    settings = Attribute("A frozen dataclass with a default for each field: the table's options.")

    def make(settings: object, backend: CarrierBackend) -> object:
        """Return an ``interfaces.Carrier``; called once, in the main process.

        It brings what is for destinations of its ``name``, and takes the place of ours of that name.
        """


class MakeBuiltinSession(Protocol):
    """The signature of our own session classes."""

    def __call__(self, wire: Wire, settings: Any, backend: Any) -> Session:
        """Make the session of one connection."""


T = TypeVar("T")


def pick_doors(kind: Callable[..., T], backend: ServerBackend) -> T:
    """Make a protocol's backend: a dataclass of doors, whose fields are fields of ``ServerBackend``."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: getattr(backend, name) for name in names})


@implementer(IPlugin, IProtocol)
@dataclass(frozen=True)
class BuiltinProtocol:
    """A protocol that comes with the server: a session class, its settings, and its doors.

    ``backend`` is the protocol's dataclass of doors, whose fields are fields of ``ServerBackend``.
    One whose sessions are of SMTP's kind is a ``BuiltinMailProtocol``.
    """

    name: str
    help: str
    busy: bytes
    settings: type
    session: MakeBuiltinSession
    backend: type
    is_spread: bool = False

    def make(self, settings: object, backend: ServerBackend) -> Callable[[Wire], Session]:
        """Return what makes a session for each connection."""
        picked = pick_doors(self.backend, backend)
        return lambda wire: self.session(wire, settings, picked)


@dataclass(frozen=True)
class BuiltinMailProtocol(BuiltinProtocol):
    """A protocol that takes mail in.

    ``arrival`` returns, for its settings, what is done with each message at its end.
    """

    arrival: Callable[[Any], Sequence[ArrivalStep]] = field(kw_only=True)

    def make(self, settings: object, backend: ServerBackend) -> Callable[[Wire], Session]:
        """Return what makes a session for each connection."""
        steps = with_added(self.arrival(settings), backend.added_steps, self.name)
        return super().make(settings, replace(backend, arrival=steps))


@implementer(IPlugin, IFilter)
@dataclass(frozen=True)
class BuiltinFilter:
    """A kind of filter that comes with the server: its settings, and the function that makes it."""

    name: str
    help: str
    settings: type
    make: Callable[[Any, ServerBackend], Filter]
    is_common: bool = False


@implementer(IPlugin, IArrivalStep)
@dataclass(frozen=True)
class BuiltinArrivalStep:
    """A kind of step in a message's arrival: its settings, and what makes it of them and the doors."""

    name: str
    help: str
    settings: type
    make: Callable[[Any, ServerBackend], Callable[[Any], Awaitable[None] | None]]
    before: str = ""
    after: str = ""


@implementer(IPlugin, ICarrier)
@dataclass(frozen=True)
class BuiltinCarrier:
    """A kind of carrier: its settings, and what makes it of them and the doors."""

    name: str
    help: str
    settings: type
    make: Callable[[Any, CarrierBackend], Carrier]


def carriers() -> dict[str, object]:
    """Return the installed kinds of carriers by name. Raises ValueError when two have one name."""
    return _by_name(ICarrier)


def protocols() -> dict[str, object]:
    """Return the installed protocols by name. Raises ValueError when two have one name."""
    return _by_name(IProtocol)


def filters() -> dict[str, object]:
    """Return the installed kinds of filters by name. Raises ValueError when two have one name."""
    return _by_name(IFilter)


def imap_extensions() -> dict[str, object]:
    """Return the installed extensions of IMAP by name. Raises ValueError when two have one name."""
    return dict(sorted(_by_name(IImapExtension).items()))


def arrival_steps() -> dict[str, object]:
    """Return the installed kinds of arrival steps by name. Raises ValueError when two have one name."""
    return _by_name(IArrivalStep)


def _by_name(interface: Any) -> dict[str, object]:
    found: dict[str, object] = {}
    plugin: Any
    for plugin in getPlugins(interface, plugins):
        if plugin.name in found:
            raise ValueError(f"two plugins are called {plugin.name!r}")
        found[plugin.name] = plugin
    return found
