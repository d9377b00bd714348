"""Carriers: what hands jobs on, and what gives them work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted_mail.interfaces.delivery import Router
from twisted_mail.interfaces.event_journal import Journal
from twisted_mail.interfaces.outgoing_connections import Connector, HttpClient
from twisted_mail.interfaces.resolver import Resolver
from twisted_mail.interfaces.store import Store
from twisted_mail.interfaces.system import Blocking, Clock
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, Transaction


@dataclass(frozen=True, slots=True)
class SiteLimits:
    """How a site may be used: ``begin`` connections at first, ``most`` later."""

    begin: int = 1
    most: int = 1


@dataclass(frozen=True, slots=True)
class Site:
    """What is reached, or not, behind a destination; many destinations may share one.

    ``name`` names it in the log and to the operator: the mail hosts, a provider, or what the carrier
    calls the destination. What one destination's owner can do to a site, he does to all of them.
    """

    carrier: str
    name: str
    limits: SiteLimits = SiteLimits()


class Work(Protocol):
    """What is to be handed on over one of a site's connections. Reactor thread only.

    Every transaction that was taken ends in ``done`` or ``unreachable``; at the end of ``serve``, what
    has ended in neither is as it was before.
    """

    def next(self) -> Transaction | None:
        """Take the next transaction, whose message is in memory; None where there is none now.

        The carrier may take one before the one before has ended, to send its beginning behind it.
        """

    async def wait(self, seconds: float) -> Transaction | None:
        """Take the next transaction, and wait for one for so long at most."""

    def done(self, transaction: Transaction, attempts: Mapping[int, Attempt]) -> None:
        """Note how recipients' attempts ended, by their numbers. A success frees the site, too.

        May be called several times for a transaction, each time with some of its recipients.
        """

    async def advance(
        self, transaction: Transaction, recipient: OwedRecipient, new: Sequence[NewJob]
    ) -> None:
        """Note that a recipient is served in part: it stays, as given, and jobs come of it.

        Durable on return; the recipient's attempt still ends in ``done``. Raises Unavailable.
        """

    def unreachable(self, attempt: Attempt, destination: Destination | None = None) -> None:
        """Note that the site cannot be reached: it rests, and its mail is not altered.

        With a destination that one alone rests, whose host is not that of the others; its transactions
        that this connection has taken are as they were before, and the connection may go on.
        """

    def slow_down(self, attempt: Attempt) -> None:
        """Note an answer that asks for fewer connections (421, a rate)."""

    @property
    def avoids(self) -> int:
        """Return the IP version that the site refuses by policy, 4 or 6, or 0."""

    def avoid(self, version: int) -> None:
        """Remember that the site refuses an IP version by policy."""


@dataclass(frozen=True, slots=True)
class CarrierBackend:
    """The doors that carriers of plugins are made with."""

    hostname: str
    clock: Clock
    blocking: Blocking
    journal: Journal
    router: Router
    store: Store
    resolver: Resolver
    connector: Connector
    http_client: HttpClient


class Carrier(Protocol):
    """Hands mail of one kind on: to other hosts, programs, lists, accounts here."""

    @property
    def name(self) -> str:
        """Return its name, as destinations have it."""

    async def site(self, destination: Destination) -> Site | Attempt:
        """Return the site of a destination, or why there is none, for now or ever.

        An attempt that failed for now counts against the destination, which rests, and not its mail.
        """

    async def serve(self, site: Site, work: Work) -> None:
        """Hand on what there is, over one connection; return when there is none, or it has ended.

        Takes no longer than the time limits of its attempts. Raises nothing but what is a bug.
        """
