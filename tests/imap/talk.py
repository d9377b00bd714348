"""An IMAP session over a scripted wire: no reactor, no time, one account in memory."""

from collections.abc import Callable, Sequence

from twisted_mail.auth.sasl import MECHANISMS
from twisted_mail.imap.extensions.table import make_tables
from twisted_mail.imap.loop import ImapBackend, ImapLoop
from twisted_mail.imap.settings import Settings
from twisted_mail.interfaces import Account, ConversationEnded, Mailbox, Peer, TlsInfo
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.mailbox.entry import NewMessage, RenderedItems
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError, Refused
from twisted_mail.store.memory.account import MemoryStore
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.journal import ListJournal

Step = str | bytes | ConversationEnded.Reason | Callable[[], None]
TABLES = make_tables()
MAIL = b"Subject: hi\r\n\r\nhello\r\n"
TLS = TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256)


class FakeRender:
    version = 1

    def __call__(self, data: bytes) -> RenderedItems:
        return RenderedItems(b"()", b"()", b"()", 0)


class FakeWire:
    """A Wire that plays a script: text with CRLF, bytes, an Ending, or something that happens."""

    def __init__(
        self, script: Sequence[Step], clock: StillClock, tls: bool, passwords: bool
    ) -> None:
        self.peer = Peer("192.0.2.1", 54321)
        self.tls_info: TlsInfo | None = None
        self.may_start_tls = tls
        self.takes_passwords = passwords
        self.has_unread = False
        self.written = b""
        self.is_closed = False
        self.nudges = 0
        self.timeouts: list[float] = []
        self._clock = clock
        self._script = list(script)

    def write(self, data: bytes) -> None:
        assert not self.is_closed
        self.written += data

    async def drain(self) -> None:
        pass

    async def yield_to_others(self) -> None:
        pass

    async def read(self, timeout: float) -> bytes:
        self.timeouts.append(timeout)
        if self.nudges:
            self.nudges -= 1
            return b""
        step = self._script.pop(0) if self._script else ConversationEnded.Reason.LOST
        if isinstance(step, ConversationEnded.Reason):
            if step is ConversationEnded.Reason.TIMEOUT:
                self._clock.seconds += timeout
            raise ConversationEnded(step)
        if isinstance(step, str):
            return step.encode() + b"\r\n"
        if isinstance(step, bytes):
            return step
        step()
        return b""

    def wake(self) -> None:
        self.nudges += 1

    async def start_tls(self) -> None:
        self.tls_info = TLS
        self.may_start_tls, self.takes_passwords = False, True

    def close(self) -> None:
        self.is_closed = True


class FakeWriter:
    """A BlobWriter in memory, which may fail."""

    def __init__(self, error: MailError | None = None) -> None:
        self.data = b""
        self.is_discarded = False
        self._error = error

    @property
    def size(self) -> int:
        return len(self.data)

    async def write(self, data: bytes) -> None:
        if self._error is not None:
            raise self._error
        self.data += data

    async def finish(self) -> MemoryBlob:
        if self._error is not None:
            raise self._error
        return MemoryBlob(self.data)

    def discard(self) -> None:
        self.is_discarded = True


class Face:
    def __init__(self, account: Account) -> None:
        self.name = account.name
        self._account = account
        self.is_out = False

    async def open(self) -> Account:
        return self._account

    def logout(self) -> None:
        self.is_out = True


class House:
    """One account, alice with the password secret, and sessions with her mailboxes."""

    def __init__(self, **settings: float) -> None:
        self.clock = StillClock()
        self.journal = ListJournal()
        self.settings = Settings(**settings)  # type: ignore[arg-type]
        self.account = finish(MemoryStore(self.clock, FakeRender()).account("alice"))
        self.faces: list[Face] = []
        self.writers: list[FakeWriter] = []
        self.disk_error: MailError | None = None
        self.login_error: Exception | None = None
        self.tables = TABLES

    async def login(self, credentials: Credentials, peer: Peer) -> Face:
        if self.login_error is not None:
            raise self.login_error
        if (credentials.name, credentials.password) != ("alice", "secret"):
            raise Refused("Wrong name or password")
        self.faces.append(Face(self.account))
        return self.faces[-1]

    def writer(self) -> FakeWriter:
        self.writers.append(FakeWriter(self.disk_error))
        return self.writers[-1]

    def put(self, *flags: str, mailbox: str = "INBOX", data: bytes = MAIL) -> None:
        draft = NewMessage(Message(MemoryBlob(data)), normal(flags))
        finish(self.account.append(mailbox, [draft]))

    def box(self, mailbox: str = "INBOX") -> Mailbox:
        return finish(self.account.open(mailbox))

    def loop(self, *script: Step, tls: bool = False, passwords: bool = True) -> ImapLoop:
        wire = FakeWire(script, self.clock, tls, passwords)
        doors = ImapBackend(
            hostname="mail.example.org",
            clock=self.clock,
            blocking=InlineBlocking(),
            journal=self.journal,
            mechanisms=MECHANISMS,
            login_mailboxes=self.login,
            blob_writer=self.writer,
        )
        return ImapLoop(wire, self.settings, doors, self.tables)

    def talk(self, *script: Step, tls: bool = False, passwords: bool = True) -> list[str]:
        """Play a whole conversation; return the lines the server wrote, without the greeting."""
        loop = self.loop(*script, tls=tls, passwords=passwords)
        finish(loop.run())
        assert loop.session.wire.is_closed  # type: ignore[attr-defined]
        lines = loop.session.wire.written.decode("latin-1").split("\r\n")  # type: ignore[attr-defined]
        assert lines.pop() == ""
        return lines[1:]

    def inside(self, *script: Step) -> list[str]:
        """Play a conversation after login."""
        return self.talk("0 LOGIN alice secret", *script)[1:]

    def events(self, name: str) -> list[tuple[object, ...]]:
        return [arguments for event, arguments in self.journal.events if event == name]
