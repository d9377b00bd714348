"""What the carrier works with, faked: work of the queue, and hosts that answer as they are asked to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from twisted_mail.mail.address import parse
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, Transaction
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.mail.trust import NOTHING_PROVEN, Demand, Proof, TlsLevel
from twisted_mail.smtp.dialogue.settings import ClientSettings, NextHop

OK = Outcome(250, "2.0.0", "Ok: queued as 1")
POLICY = Outcome(550, "5.7.25", "No reverse name")
Answer = Callable[[str], Outcome]


def attempt(text: str = "250 2.0.0 Ok", **values: Any) -> Attempt:
    code, enhanced, words = text.split(" ", 2)
    return Attempt(Outcome(int(code), "" if enhanced == "-" else enhanced, words), 1.0, **values)


def transaction(
    *recipients: str,
    last: Attempt | None = None,
    id: str = "a",
    sender: str = "alice@here.example",
) -> Transaction:
    """Return a transaction with a message to these recipients, of one domain."""
    owed = tuple(
        OwedRecipient(number, RemoteTarget(parse(one)), last=last)
        for number, one in enumerate(recipients, 1)
    )
    job = QueuedJob(id, 1.0, parse(sender))
    return Transaction(job, owed, Message(MemoryBlob(b"Subject: x\r\n\r\n")))


@dataclass
class FakeWork:
    """Has transactions, and keeps what is noted of them."""

    waiting: list[Transaction] = field(default_factory=list)
    later: list[Transaction] = field(default_factory=list)
    ended: list[tuple[Transaction, dict[int, Attempt]]] = field(default_factory=list)
    unreached: list[Attempt] = field(default_factory=list)
    unreached_alone: list[Destination | None] = field(default_factory=list)
    slowed: list[Attempt] = field(default_factory=list)
    avoids: int = 0

    def next(self) -> Transaction | None:
        return self.waiting.pop(0) if self.waiting else None

    async def wait(self, seconds: float) -> Transaction | None:
        return self.later.pop(0) if self.later else None

    def done(self, transaction: Transaction, attempts: Mapping[int, Attempt]) -> None:
        self.ended.append((transaction, dict(attempts)))

    def unreachable(self, attempt: Attempt, destination: Destination | None = None) -> None:
        self.unreached.append(attempt)
        self.unreached_alone.append(destination)

    def slow_down(self, attempt: Attempt) -> None:
        self.slowed.append(attempt)

    def avoid(self, version: int) -> None:
        self.avoids = version

    async def advance(self, *arguments: Any) -> None:
        raise AssertionError("no list is sent here")

    @property
    def codes(self) -> list[tuple[str, dict[int, int]]]:
        """Return the ids of what ended, with the codes by the numbers of recipients."""
        return [
            (one.job.id, {number: each.outcome.code for number, each in attempts.items()})
            for one, attempts in self.ended
        ]


@dataclass
class FakeHost:
    """How a host answers: to a connection, and to each recipient.

    ``ends`` is how a connection ends, once there is no more work, or after ``most`` messages. Where it
    ``proves`` nothing of its own, it proves what is demanded.
    """

    refuses: Outcome | None = None
    answers: Answer = lambda recipient: OK
    ends: Outcome | None = None
    most: int = 100
    proves: Proof | None = None


def proof_of(demand: Demand) -> Proof:
    """Return the proof of a host that proves what is demanded, and not more."""
    is_encrypted = demand.level not in (TlsLevel.NONE, TlsLevel.MAY)
    names = demand.names if demand.level is TlsLevel.VERIFY else ()
    return Proof(is_encrypted, names, demand.records, demand.is_binding)


@dataclass
class FakeClient:
    """Connects to hosts by their addresses; those that are not there refuse."""

    hosts: dict[str, FakeHost] = field(default_factory=dict)
    dialled: list[NextHop] = field(default_factory=list)
    settings: list[ClientSettings] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)  # address and id
    is_open: int = 0
    lingers: bool = False  # after QUIT, until ``leave``
    leaving: list[Callable[[], None]] = field(default_factory=list)
    failure_class: ReplyClass = ReplyClass.OTHER
    are_replies: bool = False

    async def connect(
        self, hop: NextHop, settings: ClientSettings, on_gone: Callable[[], None]
    ) -> "FakeSession | Attempt":
        found = self._connect(hop, settings)
        if isinstance(found, Attempt):
            on_gone()
        else:
            found.on_gone = on_gone
        return found

    def leave(self) -> None:
        """Let all connections be gone."""
        while self.leaving:
            self.leaving.pop()()

    def _connect(self, hop: NextHop, settings: ClientSettings) -> "FakeSession | Attempt":
        self.dialled.append(hop)
        self.settings.append(settings)
        host = self.hosts.get(hop.address)
        if host is None:
            refused = Outcome(451, "4.4.1", "connection refused")
            return Attempt(refused, 1.0, ReplyClass.NETWORK, hop.host, hop.shown_address)
        if host.refuses is not None:
            return Attempt(host.refuses, 1.0, self.failure_class, hop.host, hop.shown_address)
        self.is_open += 1
        return FakeSession(self, hop, host, proof=host.proves or proof_of(settings.demand))

    @property
    def addresses(self) -> list[str]:
        return [hop.address for hop in self.dialled]


@dataclass
class FakeSession:
    client: FakeClient
    hop: NextHop
    host: FakeHost
    is_closed: bool = False
    on_gone: Callable[[], None] = lambda: None
    proof: Proof = NOTHING_PROVEN

    async def hand_on(self, work: Any) -> Attempt | None:
        given = work.next() or await work.wait(5)
        for use in range(1, self.host.most + 1):
            if given is None:
                break
            self._take(work, given, use)
            given = work.next() or await work.wait(5)
        return None if self.host.ends is None else self._attempt(self.host.ends)

    def _take(self, work: Any, given: Transaction, use: int) -> None:
        self.client.sent.append((self.hop.address, given.job.id))
        answers = {
            one.number: replace(self._attempt(self.host.answers(str(one.address))), use=use)
            for one in given.recipients
        }
        work.done(given, answers)

    def _attempt(self, outcome: Outcome) -> Attempt:
        is_reply = self.client.are_replies
        hop = self.hop
        return Attempt(outcome, 1.0, host=hop.host, address=hop.shown_address, is_reply=is_reply)

    def close(self) -> None:
        if not self.is_closed:
            self.client.is_open -= 1
            self.client.leaving.append(self.on_gone)
        self.is_closed = True
        if not self.client.lingers:
            self.client.leave()
