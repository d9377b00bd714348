"""The whole server in memory: real sessions and conversations, no sockets, no files, no time."""

import dataclasses
from collections.abc import Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from tests.dialogues.player import given_draft
from tests.dialogues.rolls import FixedRolls
from tests.dialogues.score import Dialogue
from tests.support import FakeResolver, InlineBlocking, NoteJournal, finish
from twisted_mail.assembly.delivery import DeliveryAssembly, DeliveryDependencies
from twisted_mail.auth.checkers import DirectoryChecker
from twisted_mail.auth.realm import Realm, logins, portal
from twisted_mail.auth.sasl import MECHANISMS
from twisted_mail.auth.throttle import LocalThrottle
from twisted_mail.config.filters import filters as configured
from twisted_mail.config.values import Structurer
from twisted_mail.delivery.local import LocalDelivery
from twisted_mail.delivery.route import LocalRouter
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.mail import address
from twisted_mail.mail.dns import MailHost
from twisted_mail.mail.verdict import Decision
from twisted_mail.net.process.clock import ReactorClock
from twisted_mail.net.process.periodic import PeriodicTask, PeriodicTasks
from twisted_mail.net.server.conversation import Conversation
from twisted_mail.net.server.security import ListenerSecurity
from twisted_mail.plugin import ServerBackend, filters, protocols
from twisted_mail.policy.filter_chain import ConfiguredFilter, FilterChain
from twisted_mail.queue.program import Program, result_of_exit_code
from twisted_mail.store.disk.blob import SpoolWriter
from twisted_mail.store.memory.account import MemoryStore

T = TypeVar("T")

HOSTNAME = "mail.example.org"
PASSWORDS = dict.fromkeys(("alice@example.org", "bob@example.org", "carol@example.net"), "secret")
ALIASES = {
    "team@example.org": [address.parse("alice@example.org"), address.parse("bob@example.org")],
    "postmaster@example.org": [address.parse("alice@example.org")],
    '""@catch.example': [address.parse("bob@example.org")],
}
PROGRAMS = {"tickets@example.org": ["ticket"]}
LISTS = {"news@example.org": [address.parse("carol@example.net")]}
OTHER_NAMES = {"example.edu": "example.org"}


class DialogueClock:
    """The Clock door over a clock that only tests move."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return 1_000_000_000.0 + self._clock.seconds()

    def monotonic(self) -> float:
        return self._clock.seconds()

    async def sleep(self, seconds: float) -> None:
        waiting: Deferred[None] = Deferred()
        self._clock.callLater(seconds, waiting.callback, None)
        await waiting

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        return await ReactorClock(self._clock).within(seconds, work)


class FakeTlsHandle:
    def get_protocol_version_name(self) -> str:
        return "TLSv1.3"

    def get_cipher_name(self) -> str:
        return "TLS_AES_256_GCM_SHA384"

    def get_cipher_bits(self) -> int:
        return 256


class MemoryTransport(StringTransport):
    """A transport whose TLS is a word, and which closes when told."""

    is_tls = False
    is_gone = False

    def startTLS(self, certificates: object) -> None:
        self.is_tls = True

    def getHandle(self) -> FakeTlsHandle:
        return FakeTlsHandle()

    def loseConnection(self) -> None:
        self.is_gone = True

    abortConnection = loseConnection


class LimitedStore(MemoryStore):
    """A store whose accounts may hold so many octets from now on."""

    def limit(self, quota: int | None) -> None:
        self._limits = dataclasses.replace(self._limits, quota=quota)


class MemoryServer:
    """Everything that the service makes, over memory."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.journal = NoteJournal()
        time = DialogueClock(self.clock)
        self.directory = FixedDirectory(PASSWORDS, ALIASES, PROGRAMS, LISTS, OTHER_NAMES)
        self.store = LimitedStore(time, ItemRenderer())
        router = LocalRouter(self.directory, HOSTNAME)
        realm = Realm(self.store, self.directory, "example.org")
        checker = DirectoryChecker(self.directory, "example.org")
        doors = logins(
            portal(realm, checker), "example.org", time, self.journal, LocalThrottle(time)
        )
        blocking = InlineBlocking()
        self.resolver = FakeResolver()
        self.doors = ServerBackend(
            hostname=HOSTNAME,
            clock=time,
            blocking=blocking,
            journal=self.journal,
            directory=self.directory,
            router=router,
            queue=self._make_office(router, time),
            delivery=self._each,
            assume_login=realm.assume,
            policy=FilterChain(time, self.journal),
            store=self.store,
            mechanisms=MECHANISMS,
            login_mailboxes=doors.mailboxes,
            login_maildrop=doors.maildrop,
            login_submitter=doors.submitter,
            blob_writer=lambda: SpoolWriter("/nowhere", blocking, in_memory=2**30),
            resolver=self.resolver,
        )

    def _make_office(self, router: LocalRouter, time: DialogueClock) -> LocalDelivery:
        """Make what delivers; what waits for lists and programs is looked at twice a second."""
        self.waiting = TemporaryDirectory()
        blocking = InlineBlocking()
        office = DeliveryAssembly(
            DeliveryDependencies(
                HOSTNAME,
                router,
                self.store,
                FixedRolls(),
                self.journal,
                time,
                self.waiting.name,
                blocking,
                blocking,
                lambda *_: result_of_exit_code(0),
                [Program("ticket", ("/bin/true",), max_running=1)],
            )
        )
        periodic_tasks = PeriodicTasks(self.clock, self.journal)
        periodic_tasks.start(
            *(PeriodicTask(name, 0.5, work) for name, work in office.periodic_work())
        )
        self._each = office.each
        return office.queue

    def promise(self, keywords: frozenset[str]) -> None:
        """Let SMTP believe that the queue keeps more than it does."""
        queue: Any = self.doors.queue
        queue.supported_keywords = LocalDelivery.supported_keywords | keywords

    def set_filters(self, dialogue: Dialogue) -> None:
        """Ask the filters of a dialogue, which find its records in the DNS; give accounts their quota."""
        self.store.limit(dialogue.quota)
        for line in dialogue.dns:
            name, kind, *values = line.split()
            if kind == "broken":
                self.resolver.broken.add(name)
            elif kind == "MX":
                host = values[1].removesuffix(".")
                self.resolver.tell(name, kind, MailHost(int(values[0]), host))
            else:
                value = " ".join(values)
                self.resolver.tell(name, kind, value.encode() if kind == "TXT" else value)
        mistakes: list[str] = []
        found = configured(
            dialogue.filters,
            Structurer(Path("/")),
            filters,
            protocols(),
            lambda place, text: mistakes.append(text),
        )
        assert not mistakes, mistakes
        policy = FilterChain(self.doors.clock, self.journal, [self._seat(one) for one in found])
        self.doors = dataclasses.replace(self.doors, policy=policy)

    def _seat(self, one: Any) -> ConfiguredFilter:
        plugin: Any = filters()[one.kind]
        made = plugin.make(one.settings, self.doors)
        return ConfiguredFilter(
            one.name, made, one.services, one.seconds, Decision(one.when_failed)
        )

    def put(self, text: str) -> None:
        account, mailbox, draft = given_draft(text)
        finish(finish(self.store.account(account)).append(mailbox, [draft]))


class MemoryLine:
    """A client's connection to the server in memory; ``way`` says how what it sends is cut."""

    def __init__(self, server: MemoryServer, dialogue: Dialogue, connection: int, way: str) -> None:
        self._server = server
        self._way = way
        server.promise(dialogue.supported_keywords)
        plugin: Any = protocols()[dialogue.service(connection)]
        settings = plugin.settings(**_known(plugin.settings, dialogue.settings))
        tls = dialogue.headings.get("tls", "starttls")
        terms = ListenerSecurity(
            certificates=None if tls == "none" else object(),  # type: ignore[arg-type]
            is_implicit=tls == "implicit",
            takes_cleartext_passwords=dialogue.headings.get("cleartext", "yes") == "yes",
        )
        self.transport = MemoryTransport(peerAddress=IPv4Address("TCP", "192.0.2.1", 54321))
        self.conversation = Conversation(
            server.clock, plugin.make(settings, server.doors), terms, server.journal
        )
        self.conversation.makeConnection(self.transport)
        self._received = b""

    def send(self, pieces: list[bytes]) -> None:
        for piece in self._cut(pieces):
            if self.transport.is_gone:
                return
            self.conversation.dataReceived(piece)
            self._settle()

    def _cut(self, pieces: list[bytes]) -> list[bytes]:
        whole = b"".join(pieces)
        if self._way == "bytes":
            return [whole[at : at + 1] for at in range(len(whole))]
        return pieces if self._way == "lines" else [whole]

    def _settle(self) -> None:
        for _ in range(5):
            self._server.clock.advance(0)

    def line(self) -> str | None:
        for _ in range(80):
            self._settle()
            self._received += self.transport.value()
            self.transport.clear()
            line, end, rest = self._received.partition(b"\r\n")
            if end:
                self._received = rest
                return line.decode("utf-8", "surrogateescape")
            if self.transport.is_gone:
                assert not self._received, f"an unfinished line: {self._received!r}"
                return None
            self._server.clock.advance(0.25)
        raise AssertionError(f"so far {self._received!r}; noted {self._server.journal.events[-3:]}")

    def start_tls(self) -> None:
        assert self.transport.is_tls, "the server has not started TLS"

    def close(self) -> None:
        if not self.conversation._closed:
            self.transport.is_gone = True
            self.conversation.connectionLost()

    def pass_time(self, seconds: float) -> None:
        for _ in range(100):
            self._server.clock.advance(seconds / 100)


def _known(settings: Any, values: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(settings)}
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
        if name in names
    }
