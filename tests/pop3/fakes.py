"""A wire that is a script, and a maildrop over the store in memory."""

from typing import Any

from twisted_mail.auth.sasl import MECHANISMS
from twisted_mail.interfaces import Peer, TlsInfo
from twisted_mail.mail.mailbox.entry import NewMessage, RenderedItems
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Refused
from twisted_mail.pop3.backend import Pop3Backend
from twisted_mail.pop3.loop import Pop3Loop
from twisted_mail.pop3.settings import Settings
from twisted_mail.store.memory.account import MemoryStore
from twisted_mail.testing.doubles import StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.testing.wire import PEER, ScriptedWire

LOGIN = b"USER alice\r\nPASS secret\r\n"


class FailingMailbox:
    """A mailbox whose methods raise what they are given."""

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


class Pop3Fixture:
    """One account, alice with the password secret, and its messages."""

    def __init__(self, *messages: bytes, **errors: BaseException) -> None:
        self.clock, self.journal = StillClock(), ListJournal()
        self.store = MemoryStore(self.clock, lambda data, tier: RenderedItems(b"", b"", b"", 0))
        self.account = finish(self.store.account("alice@example.org"))
        drafts = [NewMessage(Message(MemoryBlob(message))) for message in messages]
        finish(self.account.append("INBOX", drafts))
        self.mailbox = FailingMailbox(finish(self.account.open("INBOX")), **errors)
        self.name = "alice@example.org"
        self.is_locked = False
        self.logouts = 0
        self.is_still_valid = True
        self.login_error: BaseException | None = None
        self.acting_as = ""

    async def login(self, credentials: Any, peer: Peer, has_hung_up: object) -> Any:
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

    async def is_valid(self) -> bool:
        return self.is_still_valid

    def logout(self) -> None:
        self.logouts += 1

    def talk(
        self,
        *chunks: Any,
        settings: Settings | None = None,
        tls_info: TlsInfo | None = None,
        **terms: Any,
    ) -> ScriptedWire:
        """Let a session hold a whole conversation."""
        wire = ScriptedWire(chunks, **terms)
        wire.tls_info = tls_info
        self.hold(wire, settings)
        return wire

    def hold(self, wire: ScriptedWire, settings: Settings | None = None) -> None:
        """Let a session hold a whole conversation on a wire."""
        doors = Pop3Backend("mail.example.org", self.clock, self.journal, MECHANISMS, self.login)
        finish(Pop3Loop(wire, settings or Settings(), doors).run())
        assert wire.is_closed

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
