"""Hosts in memory for the client of SMTP: connections whose other end a test plays, and a still clock."""

from collections.abc import Sequence
from typing import Any

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from twisted_mail.interfaces import Blocking
from twisted_mail.mail import address
from twisted_mail.mail.journey.dialogue import Dialogue
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, Transaction
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.mail.trust import Demand, Proof, TlsLevel
from twisted_mail.net.client.host_connection import HostConnection
from twisted_mail.net.client.host_tls import HostTls
from twisted_mail.smtp.client import ClientSession, SmtpClient
from twisted_mail.smtp.dialogue.round_source import DialogueDoors
from twisted_mail.smtp.dialogue.settings import ClientSettings, NextHop
from twisted_mail.testing.clock import ServerClock, ServerTime
from twisted_mail.testing.doubles import InlineBlocking
from twisted_mail.testing.transports import MemoryTransport
from twisted_mail.testing.wire import FakeBlobWriter

HOP = NextHop("mx.remote.example", "192.0.2.25")
SETTINGS = ClientSettings("mail.example.org")
REFUSED = Outcome(451, "4.4.1", "Connection refused")


class InlineThreads(InlineBlocking):
    """Threads that are none, and lanes of them."""

    def lane(self) -> Blocking:
        return self

    @property
    def is_idle(self) -> bool:
        return True


class MemoryCreator:
    """Stands for TLS, which begins in name only; what a certificate proves is as the test says."""

    def __init__(self, proof: Proof) -> None:
        self._proof = proof

    def proof(self, connection: Any) -> Proof:
        return self._proof


class MemoryTls(HostTls):
    """TLS with hosts that prove all that is demanded, but for those that are ``liars``."""

    def __init__(self) -> None:
        super().__init__()
        self.liars: set[str] = set()

    def creator(self, host: str, demand: Demand) -> Any:
        names = (host,) if demand.level is TlsLevel.VERIFY and host not in self.liars else ()
        return MemoryCreator(Proof(True, names))


class MemoryHosts:
    """The client, and the connections that it has opened; ``refuses`` has it open none."""

    def __init__(self) -> None:
        self.time = ServerTime()
        self.clock = ServerClock(self.time)
        self.connections: list[tuple[HostConnection, MemoryTransport]] = []
        self.faults: list[tuple[str, Exception]] = []
        self.refuses = False
        self.dialogues: list[Dialogue] = []
        self.keeps_all = False
        doors = DialogueDoors(
            self.clock, InlineThreads(), lambda *fault: self.faults.append(fault), self
        )
        self.tls = MemoryTls()
        self.client = SmtpClient(self, self.tls, doors, FakeBlobWriter)  # type: ignore[arg-type]

    def keep(self, dialogue: Dialogue) -> None:
        """Keep a dialogue as ``DialogueJournal`` does."""
        self.dialogues.append(dialogue)

    async def dial(
        self, address: str, port: int, source: str, creator: Any, seconds: float
    ) -> HostConnection:
        """Open a connection as ``HostDialer`` does."""
        if self.refuses:
            raise Unavailable(REFUSED)
        connection, transport = HostConnection(self.time, creator), MemoryTransport()
        self.connections.append((connection, transport))
        connection.makeConnection(transport)
        return connection

    def end(self, reason: Failure) -> None:
        """Let all connections know that they are lost."""
        for connection, _ in self.connections:
            connection.connectionLost(reason)


class MemoryServerLine:
    """The server's end of the n-th connection; ``way`` says how what it sends is cut."""

    def __init__(self, hosts: MemoryHosts, number: int, way: str = "whole") -> None:
        assert len(hosts.connections) >= number, f"{len(hosts.connections)} connections"
        self.connection, self.transport = hosts.connections[number - 1]
        self._hosts = hosts
        self._way = way
        self._received = b""
        self._is_lost = False

    def send(self, octets: Sequence[bytes]) -> None:
        for piece in self._cut(octets):
            if not self.transport.is_gone:
                self.connection.dataReceived(piece)
        self._settle()

    def _cut(self, octets: Sequence[bytes]) -> Sequence[bytes]:
        whole = b"".join(octets)
        if self._way == "bytes":
            return [whole[at : at + 1] for at in range(len(whole))]
        return octets if self._way == "lines" else [whole]

    def _settle(self) -> None:
        self._hosts.time.advance(0)
        self._received += self.transport.take()
        if self.transport.is_gone and not self._is_lost:
            self.close()

    @property
    def received(self) -> bytes:
        """Return what the client has sent and nobody has read."""
        self._settle()
        return self._received

    def take(self) -> bytes:
        """Return the same, and have it read."""
        octets, self._received = self.received, b""
        return octets

    def line(self) -> str | None:
        if b"\r\n" not in self.received:
            assert not self._received, f"an unfinished line: {self._received[:200]!r}"
            assert self._is_lost, "the client says nothing"
            return None
        line, _, self._received = self._received.partition(b"\r\n")
        return line.decode("utf-8", "surrogateescape")

    def expect_silence(self) -> None:
        assert self.received == b"", f"the client says more: {self._received[:200]!r}"

    def start_tls(self) -> None:
        assert self.transport.is_tls, "the client has not started TLS"
        self.connection.handshakeCompleted()

    def break_tls(self) -> None:
        assert self.transport.is_tls, "the client has not started TLS"
        self._lose(SSL.Error([("SSL routines", "", "no shared cipher")]))

    def close(self) -> None:
        self._lose(ConnectionDone())

    def _lose(self, reason: Exception) -> None:
        if not self._is_lost:
            self._is_lost = self.transport.is_gone = True
            self.connection.connectionLost(Failure(reason))  # type: ignore[no-untyped-call]

    def pass_time(self, seconds: float) -> None:
        for _ in range(100):
            self._hosts.time.advance(seconds / 100)
            self._settle()


class Talk:
    """One connection of the client: the messages that it is to hand on, and what came of them."""

    def __init__(
        self,
        supply: Any,
        settings: ClientSettings = SETTINGS,
        hosts: MemoryHosts | None = None,
        hop: NextHop = HOP,
    ) -> None:
        self.hosts = hosts or MemoryHosts()
        self.supply = supply
        self.session: ClientSession | None = None
        self.end: Attempt | None = None
        self._lines: dict[int, MemoryServerLine] = {}
        self.running: Deferred[None] = Deferred.fromCoroutine(self._run(hop, settings))

    async def _run(self, hop: NextHop, settings: ClientSettings) -> None:
        found = await self.hosts.client.connect(hop, settings)
        if isinstance(found, ClientSession):
            self.session = found
            self.end = await found.hand_on(self.supply)
            found.close()
        else:
            self.end = found

    @property
    def is_over(self) -> bool:
        return bool(self.running.called)

    def line(self, number: int = 1) -> MemoryServerLine:
        """Return the other end of the n-th connection."""
        if number not in self._lines:
            self._lines[number] = MemoryServerLine(self.hosts, number)
        return self._lines[number]

    def says(self, *lines: str) -> None:
        """Let the host say lines, together."""
        self.line().send([line.encode() + b"\r\n" for line in lines])

    def heard(self) -> bytes:
        """Return what the client has said since."""
        return self.line(len(self.hosts.connections)).take()

    def greet(self, *keywords: str) -> None:
        """Be the host up to the reply to EHLO."""
        self.says("220 mx ESMTP")
        lines = ["250-mx", *(f"250-{one}" for one in keywords)]
        self.says(*lines, "250 HELP")


def mail(
    to: str = "bob@remote.example", data: bytes = b"Subject: Hi\r\n\r\nHello\r\n"
) -> Transaction:
    """Return a message to be handed on, to recipients with commas between them."""
    job = QueuedJob("m1", 0.0, address.parse("alice@example.org"), size=len(data))
    owed = [
        OwedRecipient(number, RemoteTarget(address.parse(one.strip())))
        for number, one in enumerate(to.split(","), 1)
    ]
    return Transaction(job, tuple(owed), Message(MemoryBlob(data)))
