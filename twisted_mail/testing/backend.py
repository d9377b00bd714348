"""Everything a server needs but a network: the parts, connected over a store in memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from twisted_mail.auth.checkers import DirectoryChecker
from twisted_mail.auth.realm import Realm, logins
from twisted_mail.auth.sasl import MECHANISMS
from twisted_mail.auth.throttle import LoginThrottle
from twisted_mail.delivery.acceptance import MailAcceptance
from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.delivery.lmtp_acceptance import LmtpAcceptance
from twisted_mail.interfaces import (
    Clock,
    Delivery,
    Directory,
    Journal,
    Peer,
    Policy,
    Queue,
    Resolver,
    Router,
    Store,
)
from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome, Refused, Unavailable
from twisted_mail.mail.route import LocalRoute, RemoteRoute, Route, RouteStep
from twisted_mail.plugin import ServerBackend
from twisted_mail.store.disk.spool import SpoolWriter
from twisted_mail.testing.doubles import InlineBlocking
from twisted_mail.testing.faults import Fault, FaultPlan
from twisted_mail.testing.received import ReceivedMessage

LARGEST_MESSAGE = 2**30  # octets that stay in memory


@dataclass(frozen=True, slots=True)
class MemoryParts:
    """The parts that servers in memory choose for themselves."""

    hostname: str
    default_domain: str
    clock: Clock
    journal: Journal
    directory: Directory
    store: Store
    router: Router
    queue: Queue
    delivery: Delivery
    throttle: LoginThrottle
    policy: Policy
    resolver: Resolver


def connect_parts(parts: MemoryParts) -> ServerBackend:
    """Connect the parts to what sessions are made with."""
    realm = Realm(parts.store, parts.directory, parts.default_domain)
    checker = DirectoryChecker(parts.directory, parts.default_domain)
    doors = logins(realm, checker, parts.clock, parts.journal, parts.throttle)
    blocking = InlineBlocking()
    return ServerBackend(
        hostname=parts.hostname,
        clock=parts.clock,
        blocking=blocking,
        journal=parts.journal,
        directory=parts.directory,
        router=parts.router,
        queue=parts.queue,
        delivery=parts.delivery,
        assume_login=realm.assume,
        policy=parts.policy,
        store=parts.store,
        mechanisms=MECHANISMS,
        login_mailboxes=doors.mailboxes,
        login_maildrop=doors.maildrop,
        login_submitter=doors.submitter,
        blob_writer=lambda: SpoolWriter("/nowhere", blocking, in_memory=LARGEST_MESSAGE),
        resolver=parts.resolver,
    )


class OpenThrottle:
    """Answers a wrong password at once. Fulfils ``auth.throttle.LoginThrottle``."""

    def admit(self, where: str) -> None:
        """Let a password be tried."""

    async def hold_back(self, name: str, peer: Peer, began: float) -> None:
        """Do nothing."""

    def forgive(self, name: str) -> None:
        """Do nothing."""


class OpenRouter:
    """Takes mail for other domains too, which is kept and goes nowhere. Fulfils ``interfaces.Router``."""

    def __init__(self, router: Router) -> None:
        self._router = router

    def version(self) -> object:
        """Return an object that equals an earlier one if no route can have changed in between."""
        return self._router.version()

    async def route(self, recipient: Address) -> Route:
        """Return the route of one recipient, a local one even where the mail is for elsewhere."""
        return _kept(await self._router.route(recipient))

    async def explain(self, recipient: Address) -> tuple[Route, list[RouteStep]]:
        """Return the same, and the steps by which it was found."""
        route, steps = await self._router.explain(recipient)
        return _kept(route), list(steps)


def _kept(route: Route) -> Route:
    if not isinstance(route, RemoteRoute):
        return route
    return LocalRoute(route.accounts, route.programs, route.lists, route.details)


class RecordingQueue:
    """Delivers, and hands each message that was taken to ``record``.

    Fulfils ``interfaces.Queue`` and ``interfaces.Delivery``.
    """

    supported_keywords = MailAcceptance.supported_keywords

    def __init__(
        self,
        doors: DeliveryBackend,
        plan: FaultPlan,
        record: Callable[[ReceivedMessage], None],
    ) -> None:
        self._queue = MailAcceptance(doors)
        self._each = LmtpAcceptance(doors)
        self._plan = plan
        self._record = record

    async def check_quota(self, accounts: Sequence[str], size: int) -> Outcome | None:
        """Return why none of the accounts has room, or None."""
        return await self._queue.check_quota(accounts, size)

    async def accept(self, envelope: Envelope, message: Message) -> None:
        """Deliver to every recipient. Raises Refused or Unavailable."""
        copy, received = self._read(envelope, message)
        await self._queue.accept(envelope, copy)
        self._record(received)

    async def deliver_each(
        self, envelope: Envelope, message: Message
    ) -> Mapping[Address, Outcome | None]:
        """Deliver to every recipient for whom it can be done."""
        copy, received = self._read(envelope, message)
        answers = await self._each.deliver_each(envelope, copy)
        if None in answers.values():
            self._record(received)
        return answers

    def _read(self, envelope: Envelope, message: Message) -> tuple[Message, ReceivedMessage]:
        """Return the message in memory and as a value. Raises what a fault has planned for it."""
        content = b"".join(message.blob.pieces())
        message.blob.close()
        refusal, self._plan.refusal = self._plan.refusal, None
        if refusal is not None:
            raise _as_error(refusal)
        copy = Message(MemoryBlob(content), message.prefix)
        return copy, ReceivedMessage(envelope, content, message.prefix)


def _as_error(fault: Fault) -> Refused | Unavailable:
    code, _, text = fault.text.partition(" ")
    enhanced, space, rest = text.partition(" ")
    if not (space and enhanced.count(".") == 2):
        enhanced, rest = f"{code[0]}.0.0", text
    outcome = Outcome(int(code), enhanced, rest)
    return Unavailable(outcome) if outcome.is_temporary else Refused(outcome)
