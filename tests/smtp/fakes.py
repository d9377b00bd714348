"""Fakes of what SMTP needs, and conversations in one call."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.interfaces import ConversationEnded, DomainCheck, Filter, Peer
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import Outcome, ProtocolError, Refused, Unavailable
from twisted_mail.mail.route import LocalRoute, NoRoute, RemoteRoute, Route
from twisted_mail.policy.filter_chain import ConfiguredFilter, FilterChain
from twisted_mail.smtp.arrival.steps import smtp_steps
from twisted_mail.smtp.backend import SmtpBackend
from twisted_mail.smtp.loop import SmtpLoop
from twisted_mail.smtp.settings import Settings, SubmissionSettings
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.testing.wire import FakeBlobWriter, ScriptedWire

SHUTDOWN = ConversationEnded.Reason.SHUTDOWN
OVERLOAD = ConversationEnded.Reason.OVERLOAD


PROMISES = frozenset({"DSN", "REQUIRETLS", "FUTURERELEASE", "DELIVERBY", "MT-PRIORITY"})


class FakeQueue:
    def __init__(self, promises: Collection[str] = ()) -> None:
        self.supported_keywords = promises
        self.accepted: list[tuple[Envelope, Message]] = []
        self.trouble: Exception | None = None
        self.full: dict[str, Outcome] = {}
        self.asked_room: list[tuple[Sequence[str], int]] = []
        self.journal = ListJournal()

    async def check_quota(self, accounts: Sequence[str], size: int) -> Outcome | None:
        self.asked_room.append((accounts, size))
        refusals = [self.full.get(account) for account in accounts]
        return refusals[0] if all(refusals) else None

    async def accept(self, envelope: Envelope, message: Message) -> None:
        message.blob.close()
        if self.trouble is not None:
            raise self.trouble
        self.accepted.append((envelope, message))
        self.journal.received(envelope, message.blob.size)


@dataclass
class FakeRouter:
    """alice, bob and carol live at example.org; the domain broken.example.org cannot be asked."""

    def version(self) -> object:
        return "as it was at RCPT"

    async def route(self, recipient: Address) -> Route:
        if recipient.domain == "broken.example.org":
            raise Unavailable(Outcome(451, "4.3.0", "The directory cannot be asked now"))
        if recipient == Address("later", "example.org"):
            return NoRoute(Outcome(450, "4.2.1", "This mailbox takes no mail now"))
        if recipient.domain == "bug.example.org":
            raise RuntimeError("secret inside")
        if recipient.domain not in ("example.org", ""):
            return RemoteRoute((recipient,))
        if recipient == Address("away", "example.org"):
            return RemoteRoute((parse("me@elsewhere.example"),))
        if recipient.local.lower() in ("alice", "bob", "carol", "postmaster"):
            return LocalRoute((f"{recipient.local.lower()}@example.org",))
        return NoRoute(Outcome(550, "5.1.1", "There is no such mailbox here"))


@dataclass
class FakeSubmitter:
    name: str = "alice@example.org"
    is_logged_out: bool = False
    is_still_valid: bool = True

    async def is_valid(self) -> bool:
        return self.is_still_valid

    async def may_send_as(self, address: Address) -> bool:
        return str(address) == self.name

    def logout(self) -> None:
        self.is_logged_out = True


class FakePlain:
    """The response is ``name password``; as a mechanism and as an exchange of it."""

    name = "PLAIN"
    server_first = False
    reveals_password = True

    def begin(self) -> "FakePlain":
        return self

    def step(self, response: bytes) -> bytes | Credentials:
        name, space, password = response.decode(errors="replace").partition(" ")
        if not space:
            raise ProtocolError(Outcome(501, "5.5.2", "name password, please"))
        return Credentials(name, password, mechanism="PLAIN")


class FakeEndless(FakePlain):
    """A mechanism whose challenges do not end."""

    name = "ENDLESS"
    server_first = True
    reveals_password = False

    def step(self, response: bytes) -> bytes | Credentials:
        return b"again"


@dataclass
class SmtpFixture:
    """Everything that a session needs, faked."""

    clock: StillClock = field(default_factory=StillClock)
    journal: ListJournal = field(default_factory=ListJournal)
    queue: FakeQueue = field(default_factory=FakeQueue)
    submitter: FakeSubmitter = field(default_factory=FakeSubmitter)
    writers: list[FakeBlobWriter] = field(default_factory=list)
    writer_trouble: Exception | None = None
    login_trouble: Exception | None = None
    has_no_writer: bool = False
    filters: Sequence[Filter] = ()
    domain_check: DomainCheck | None = None

    def __post_init__(self) -> None:
        self.queue.journal = self.journal

    async def login(
        self, credentials: Credentials, peer: Peer, has_hung_up: object = None
    ) -> FakeSubmitter:
        if self.login_trouble is not None:
            raise self.login_trouble
        if credentials.password != "secret":
            raise Refused(Outcome(535, "5.7.8", "no"))
        return self.submitter

    def writer(self) -> FakeBlobWriter:
        if self.has_no_writer:
            raise RuntimeError("no writer")
        self.writers.append(FakeBlobWriter(self.writer_trouble))
        return self.writers[-1]

    def doors(self, settings: Settings | None = None) -> SmtpBackend:
        directory = FixedDirectory(
            {"alice@example.org": "secret"},
            {
                "team@example.org": [parse("alice@example.org"), parse("bob@example.org")],
                "utf8@example.org": [parse("jos\xe9@example.org")],
            },
        )
        return SmtpBackend(
            hostname="mail.example.org",
            clock=self.clock,
            blocking=InlineBlocking(),
            journal=self.journal,
            directory=directory,
            router=FakeRouter(),
            queue=self.queue,
            policy=FilterChain(
                self.clock,
                self.journal,
                [ConfiguredFilter(f"filter{at}", one) for at, one in enumerate(self.filters)],
            ),
            mechanisms=[FakePlain(), FakeEndless()],
            login_submitter=self.login,
            blob_writer=self.writer,
            arrival=smtp_steps(settings or Settings()),
            domain_check=self.domain_check,
        )

    def hold(self, wire: ScriptedWire, settings: Settings | None = None) -> list[str]:
        """Hold a conversation; return the lines of the server."""
        finish(SmtpLoop(wire, settings or Settings(), self.doors(settings)).run())
        assert wire.is_closed
        text = wire.written.decode("ascii")
        assert not text or text.endswith("\r\n")
        return text.split("\r\n")[:-1]

    def events(self, name: str) -> list[tuple[Any, ...]]:
        return [arguments for event, arguments in self.journal.events if event == name]

    @property
    def content(self) -> bytes:
        """The bytes of the one message that was taken."""
        ((_, message),) = self.queue.accepted
        return b"".join(message.blob.pieces())

    @property
    def prefix(self) -> bytes:
        ((_, message),) = self.queue.accepted
        return message.prefix


def lines(*texts: str | bytes) -> bytes:
    return b"".join((one.encode() if isinstance(one, str) else one) + b"\r\n" for one in texts)


def say(
    *texts: str | bytes, smtp: SmtpFixture | None = None, settings: Settings | None = None
) -> list[str]:
    """Return what the server says to these lines, in one packet, behind its greeting."""
    greeting, *replies = (smtp or SmtpFixture()).hold(ScriptedWire([lines(*texts)]), settings)
    assert greeting == "220 mail.example.org ESMTP twisted_mail ready"
    return replies


HELLO = "HELO client.example"
LOGIN = "AUTH PLAIN YWxpY2Ugc2VjcmV0"  # alice secret
MAIL, RCPT = "MAIL FROM:<sender@client.example>", "RCPT TO:<alice@example.org>"
SUBMISSION = SubmissionSettings()
