"""An IMAP session over a scripted wire: no reactor, no time, one account in memory."""

from twisted_mail.auth.sasl import MECHANISMS
from twisted_mail.imap.extensions.table import make_tables
from twisted_mail.imap.loop import ImapBackend, ImapLoop
from twisted_mail.imap.settings import Settings
from twisted_mail.interfaces import Account, Mailbox, Peer
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.mailbox.entry import ItemTier, NewMessage, RenderedItems
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError, Refused
from twisted_mail.store.memory.account import MemoryStore
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.testing.wire import FakeBlobWriter, ScriptedWire, Step

TABLES = make_tables()
MAIL = b"Subject: hi\r\n\r\nhello\r\n"


class FakeRender:
    version = 1

    def __call__(self, data: bytes, tier: ItemTier = ItemTier.PREVIEW) -> RenderedItems:
        return RenderedItems(b"()", b"()", b"()", 0)


class Face:
    def __init__(self, account: Account) -> None:
        self.name = account.name
        self._account = account
        self.is_out = False
        self.is_still_valid = True
        self.asked = 0

    async def is_valid(self) -> bool:
        self.asked += 1
        return self.is_still_valid

    async def open(self) -> Account:
        return self._account

    def logout(self) -> None:
        self.is_out = True


class ImapFixture:
    """One account, alice with the password secret, and sessions with her mailboxes."""

    def __init__(self, **settings: float) -> None:
        self.clock = StillClock()
        self.journal = ListJournal()
        self.settings = Settings(**settings)  # type: ignore[arg-type]
        self.account = finish(MemoryStore(self.clock, FakeRender()).account("alice"))
        self.faces: list[Face] = []
        self.writers: list[FakeBlobWriter] = []
        self.disk_error: MailError | None = None
        self.login_error: Exception | None = None
        self.tables = TABLES

    async def login(self, credentials: Credentials, peer: Peer, has_hung_up: object) -> Face:
        if self.login_error is not None:
            raise self.login_error
        if (credentials.name, credentials.password) != ("alice", "secret"):
            raise Refused("Wrong name or password")
        self.faces.append(Face(self.account))
        return self.faces[-1]

    def writer(self) -> FakeBlobWriter:
        self.writers.append(FakeBlobWriter(self.disk_error))
        return self.writers[-1]

    def put(self, *flags: str, mailbox: str = "INBOX", data: bytes = MAIL) -> None:
        draft = NewMessage(Message(MemoryBlob(data)), normal(flags))
        finish(self.account.append(mailbox, [draft]))

    def box(self, mailbox: str = "INBOX") -> Mailbox:
        return finish(self.account.open(mailbox))

    def loop(self, *script: Step, tls: bool = False, passwords: bool = True) -> ImapLoop:
        wire = ScriptedWire(script, clock=self.clock, may_start_tls=tls, takes_passwords=passwords)
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
