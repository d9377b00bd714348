"""A wire that is a script, and a maildrop over the store in memory."""

from dataclasses import dataclass, field
from typing import Any

from twisted_mail.auth.sasl import MECHANISMS
from twisted_mail.interfaces import ConversationEnded, Peer, TlsInfo
from twisted_mail.mail.mailbox.entry import NewMessage, RenderedItems
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Refused
from twisted_mail.pop3.backend import Pop3Backend
from twisted_mail.pop3.loop import Pop3Loop
from twisted_mail.pop3.settings import Settings
from twisted_mail.store.memory.account import MemoryStore
from twisted_mail.testing.doubles import StillClock, finish
from twisted_mail.testing.journal import ListJournal

PEER = Peer("192.0.2.1", 4711)
LOGIN = b"USER alice\r\nPASS secret\r\n"


@dataclass
class ScriptWire:
    """Gives the chunks one by one, then ends; notes how writes were grouped."""

    chunks: list[Any]
    takes_passwords: bool = True
    may_start_tls: bool = False
    tls_info: TlsInfo | None = None
    last: ConversationEnded.Reason = ConversationEnded.Reason.LOST
    peer: Peer = PEER
    sent: list[bytes] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)
    turns: int = 0
    is_closed: bool = False
    _pending: bytes = b""

    @property
    def has_unread(self) -> bool:
        return bool(self.chunks) and self.chunks[0] == b"(unread)"

    @property
    def text(self) -> str:
        return b"".join(self.sent).decode("latin-1")

    def write(self, data: bytes) -> None:
        assert not self.is_closed
        self._pending += data

    def _flush(self) -> None:
        if self._pending:
            self.sent.append(self._pending)
        self._pending = b""

    async def drain(self) -> None:
        self._flush()

    async def read(self, timeout: float) -> bytes:
        self._flush()
        self.timeouts.append(timeout)
        if not self.chunks:
            raise ConversationEnded(self.last)
        chunk = self.chunks.pop(0)
        return chunk() if callable(chunk) else chunk

    async def yield_to_others(self) -> None:
        self.turns += 1

    async def start_tls(self) -> None:
        self._flush()
        self.sent.append(b"(TLS)\r\n")
        self.may_start_tls = False
        self.takes_passwords = True
        self.tls_info = TlsInfo("TLSv1.3", "x", 256)

    def close(self) -> None:
        self._flush()
        self.is_closed = True


class FailingMailbox:
    """A mailbox whose methods raise what they are told to."""

    def __init__(self, mailbox: Any, **errors: BaseException) -> None:
        self._mailbox = mailbox
        self._errors = errors
        self.closed = 0

    def __getattr__(self, name: str) -> Any:
        if name in self._errors:
            return self._fail(name)
        return getattr(self._mailbox, name)

    def _fail(self, name: str) -> Any:
        async def fail(*arguments: Any) -> None:
            raise self._errors[name]

        return fail

    def close(self) -> None:
        self.closed += 1
        self._mailbox.close()


class House:
    """One account, alice with the password secret, and its messages."""

    def __init__(self, *messages: bytes, **errors: BaseException) -> None:
        self.clock, self.journal = StillClock(), ListJournal()
        self.store = MemoryStore(self.clock, lambda data: RenderedItems(b"", b"", b"", 0))
        self.account = finish(self.store.account("alice@example.org"))
        drafts = [NewMessage(Message(MemoryBlob(message))) for message in messages]
        finish(self.account.append("INBOX", drafts))
        self.mailbox = FailingMailbox(finish(self.account.open("INBOX")), **errors)
        self.name = "alice@example.org"
        self.is_locked = False
        self.logouts = 0
        self.login_error: BaseException | None = None
        self.acting_as = ""

    async def login(self, credentials: Any, peer: Peer) -> Any:
        assert peer == PEER
        if self.login_error is not None:
            raise self.login_error
        if (credentials.name, credentials.password) != ("alice", "secret"):
            raise Refused("Authentication credentials invalid", "AUTHENTICATIONFAILED")
        return self

    async def lock(self) -> Any:
        if self.is_locked:
            raise Refused("In use", "IN-USE")
        return self.mailbox

    def logout(self) -> None:
        self.logouts += 1

    def talk(self, *chunks: Any, settings: Settings | None = None, **terms: Any) -> ScriptWire:
        """Let a session hold a whole conversation."""
        wire = ScriptWire(list(chunks), **terms)
        doors = Pop3Backend("mail.example.org", self.clock, self.journal, MECHANISMS, self.login)
        finish(Pop3Loop(wire, settings or Settings(), doors).run())
        assert wire.is_closed
        return wire

    def replies(self, *chunks: Any, **terms: Any) -> list[str]:
        """Return the lines after login."""
        lines = self.talk(LOGIN, *chunks, **terms).text.split("\r\n")
        assert lines.pop() == ""
        return lines[3:]

    @property
    def uids(self) -> list[int]:
        return list(self.mailbox.columns.uids)

    @property
    def reasons(self) -> list[str]:
        return [event[1][-1] for event in self.journal.events if event[0] == "disconnected"]

    @property
    def bugs(self) -> list[Any]:
        return [event for event in self.journal.events if event[0] == "failed"]
