"""The server that plays dialogues in memory: the one that is shipped, with lists and programs."""

import dataclasses
from pathlib import Path
from typing import Any

from twisted.internet.address import IPv4Address

from tests.dialogues.player import given_draft
from tests.dialogues.rolls import FixedRolls
from tests.dialogues.score import Dialogue
from twisted_mail.auth.throttle import LocalThrottle
from twisted_mail.config.filters import filters as configured
from twisted_mail.config.values import Structurer
from twisted_mail.delivery.acceptance import MailAcceptance
from twisted_mail.delivery.account_carrier import AccountCarrier
from twisted_mail.delivery.doors import DeliveryBackend, QueueDoors
from twisted_mail.delivery.lmtp_acceptance import LmtpAcceptance
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.delivery.settings import AddressSettings
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.interfaces import Carrier
from twisted_mail.lists.admission import MailingListAdmission
from twisted_mail.lists.backend import ListBackend
from twisted_mail.lists.carrier import ListCarrier
from twisted_mail.lists.settings import ListSettings
from twisted_mail.mail import address
from twisted_mail.mail.dns import MailHost
from twisted_mail.mail.verdict import Decision
from twisted_mail.net.connection.conversation import Conversation, MakeSession
from twisted_mail.net.connection.security import ListenerSecurity
from twisted_mail.net.process.tasks import ReactorTasks
from twisted_mail.plugin import ServerBackend, filters, protocols
from twisted_mail.policy.filter_chain import ConfiguredFilter, FilterChain
from twisted_mail.queue.dispatch.dispatcher import Dispatcher
from twisted_mail.queue.dispatch.dispatching_spool import DispatchingSpool
from twisted_mail.queue.dispatch.memory.state import DispatchDoors
from twisted_mail.queue.dispatch.settings import DispatchSettings, ScheduleSettings
from twisted_mail.queue.events import QueueEvents
from twisted_mail.queue.mailer import QueueMailer
from twisted_mail.queue.reports.reports import QueueReports, ReportBackend
from twisted_mail.queue.reports.settings import ReportSettings
from twisted_mail.queue.reports.templates import load_templates
from twisted_mail.store.memory.account import MemoryStore
from twisted_mail.store.memory.data import MemoryStoreLimits
from twisted_mail.testing.backend import MemoryParts, connect_parts
from twisted_mail.testing.clock import ServerClock, ServerTime
from twisted_mail.testing.connection import MemoryConnection
from twisted_mail.testing.doubles import InlineBlocking, finish
from twisted_mail.testing.job_spool import MemoryJobSpool
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.testing.resolver import FakeResolver
from twisted_mail.testing.transports import MemoryTransport

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
ROUNDS = 5  # of what is due at once: one thing may bring another


class DialogueServer:
    """The server that one dialogue asks for."""

    def __init__(self, dialogue: Dialogue) -> None:
        self.dialogue = dialogue
        self.time = ServerTime()
        self.clock = ServerClock(self.time)
        self.journal = ListJournal()
        self.store = MemoryStore(self.clock, ItemRenderer(), MemoryStoreLimits(dialogue.quota))
        directory = FixedDirectory(PASSWORDS, ALIASES, PROGRAMS, LISTS, OTHER_NAMES)
        addresses = AddressSettings(**dialogue.addresses)
        router = LocalRouter(directory, HOSTNAME, separators=addresses.separators)
        taking = self._delivery_backend(router, addresses)
        queue: Any = MailAcceptance(taking)
        queue.supported_keywords = (
            MailAcceptance.supported_keywords | dialogue.supported_keywords
        )  # let SMTP believe that it keeps more than it does
        self.backend = connect_parts(
            MemoryParts(
                hostname=HOSTNAME,
                default_domain="example.org",
                clock=self.clock,
                journal=self.journal,
                directory=directory,
                store=self.store,
                router=router,
                queue=queue,
                delivery=LmtpAcceptance(taking),
                throttle=LocalThrottle(self.clock),
                policy=FilterChain(self.clock, self.journal),
                resolver=_resolver(dialogue),
            )
        )
        chain = FilterChain(self.clock, self.journal, _filters(dialogue, self.backend))
        self.backend = dataclasses.replace(self.backend, policy=chain)
        for message in dialogue.given:
            account, mailbox, draft = given_draft(message)
            finish(finish(self.store.account(account)).append(mailbox, [draft]))

    def _delivery_backend(self, router: LocalRouter, addresses: AddressSettings) -> DeliveryBackend:
        """Return what mail is taken in with, over a queue whose carriers begin at once."""
        blocking, spool = InlineBlocking(), MemoryJobSpool()
        reporting = ReportBackend(router, self.clock, blocking, self.journal, HOSTNAME)
        reports = QueueReports(reporting, ReportSettings(), load_templates())
        tasks, carriers = ReactorTasks(self.time, self.journal), dict[str, Carrier]()
        dispatcher = Dispatcher(
            DispatchDoors(
                spool, carriers, reports, self.clock, tasks, self.journal, QueueEvents(self.journal)
            ),
            ScheduleSettings(),
            DispatchSettings(),
        )
        queue = DispatchingSpool(spool, dispatcher)
        rolls = FixedRolls()
        doors = QueueDoors(queue, reports, MailingListAdmission(rolls), blocking)
        backend = DeliveryBackend(
            router,
            self.store,
            self.journal,
            self.clock,
            saves_to_detail_mailbox=addresses.save_to_detail_mailbox,
            queue=doors,
        )
        lists = ListBackend(
            HOSTNAME,
            rolls,
            router,
            doors.admission,
            QueueMailer(MailAcceptance(backend), self.clock, HOSTNAME),
            queue,
            blocking,
            self.clock,
            self.journal,
            ListSettings(),
        )
        carriers |= {"list": ListCarrier(lists), "account": AccountCarrier(backend)}
        tasks.start("queue", dispatcher.start())
        return backend

    def conversation(self, connection: int) -> Conversation:
        dialogue = self.dialogue
        plugin: Any = protocols()[dialogue.service(connection)]
        settings = plugin.settings(**_known(plugin.settings, dialogue.settings))
        tls = dialogue.headings.get("tls", "starttls")
        certificates: Any = None if tls == "none" else object()
        terms = ListenerSecurity(
            certificates=certificates,
            is_implicit=tls == "implicit",
            takes_cleartext_passwords=dialogue.headings.get("cleartext", "yes") == "yes",
        )
        make_session = self.make_session(plugin, settings, dialogue.service(connection))
        return Conversation(self.time, make_session, terms, self.journal)

    def make_session(self, plugin: Any, settings: Any, service: str) -> MakeSession:
        made: MakeSession = plugin.make(settings, self.backend)
        return made

    def settle(self) -> None:
        for _ in range(ROUNDS):
            self.time.advance(0)


def _resolver(dialogue: Dialogue) -> FakeResolver:
    """Make the DNS that a dialogue asks for."""
    resolver = FakeResolver()
    for line in dialogue.dns:
        name, kind, *values = line.split()
        if kind == "broken":
            resolver.broken.add(name)
        elif kind == "MX":
            resolver.add(name, kind, MailHost(int(values[0]), values[1].removesuffix(".")))
        else:
            value = " ".join(values)
            resolver.add(name, kind, value.encode() if kind == "TXT" else value)
    return resolver


def _filters(dialogue: Dialogue, backend: ServerBackend) -> list[ConfiguredFilter]:
    mistakes: list[str] = []
    found = configured(
        dialogue.filters,
        Structurer(Path("/")),
        filters,
        protocols(),
        lambda place, text: mistakes.append(text),
    )
    assert not mistakes, mistakes
    return [_configured(one, backend) for one in found]


def _configured(one: Any, backend: ServerBackend) -> ConfiguredFilter:
    plugin: Any = filters()[one.kind]
    made = plugin.make(one.settings, backend)
    return ConfiguredFilter(one.name, made, one.services, one.seconds, Decision(one.when_failed))


class MemoryLine:
    """A client's connection to the server in memory; ``way`` says how what it sends is cut."""

    def __init__(self, server: DialogueServer, connection: int, way: str) -> None:
        self._server = server
        self._way = way
        self._connection = MemoryConnection(
            server.conversation(connection),
            server.settle,
            lambda work: work(),
            MemoryTransport(IPv4Address("TCP", "192.0.2.1", 54321)),
        )

    def send(self, pieces: list[bytes]) -> None:
        for piece in self._cut(pieces):
            self._connection.write(piece)

    def _cut(self, pieces: list[bytes]) -> list[bytes]:
        whole = b"".join(pieces)
        if self._way == "bytes":
            return [whole[at : at + 1] for at in range(len(whole))]
        return pieces if self._way == "lines" else [whole]

    def line(self) -> str | None:
        received = b""
        for _ in range(80):
            received = self._connection.received
            if b"\r\n" in received:
                return self._connection.line()
            if self._connection.is_closed:
                assert not received, f"an unfinished line: {received!r}"
                return None
            self._server.time.advance(0.25)
        raise AssertionError(f"so far {received!r}; noted {self._server.journal.events[-3:]}")

    def start_tls(self) -> None:
        assert self._connection.transport.is_tls, "the server has not started TLS"

    def close(self) -> None:
        self._connection.close()

    def pass_time(self, seconds: float) -> None:
        for _ in range(100):
            self._server.time.advance(seconds / 100)


def _known(settings: Any, values: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(settings)}
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
        if name in names
    }
