"""A host that says again what a kept dialogue has, and finds where our client says something else."""

from collections.abc import Sequence
from dataclasses import dataclass

from twisted_mail.interfaces import ConversationEnded, TlsFailed, TlsInfo
from twisted_mail.mail.journey.dialogue import THEY, WE, SpokenLine

HIDDEN = " (hidden)"
_CONTENT = " octets of content)"
_REPLAYED = TlsInfo("TLS", "replayed", 0)

Reason = ConversationEnded.Reason


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where what is said differs: its number, from 1; an empty text is silence."""

    number: int
    kept: str
    now: str


class Differs(Exception):
    """The client says something else than the kept dialogue has."""

    def __init__(self, difference: Difference) -> None:
        super().__init__(difference.kept)
        self.difference = difference


class KeptHost:
    """Fulfils ``interfaces.HostWire`` by the lines of a dialogue. Raises Differs."""

    def __init__(self, lines: Sequence[SpokenLine]) -> None:
        self.lines = lines
        self._at = 0
        self._unread: list[bytes] = []  # what the client said, line by line
        self._rest = b""
        self._has_ended = False  # the message
        self.tls_info: TlsInfo | None = None
        self.is_proven = False
        self.has_unread = False

    def write(self, data: bytes) -> None:
        """Take what the client says."""
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        self._unread += lines

    async def drain(self, timeout: float) -> None:
        """Do nothing: it is taken already."""

    async def read(self, timeout: float) -> bytes:
        """Compare what was said since with what is kept; return what the host says then."""
        self._compare()
        said: list[str] = []
        while (line := self._next) is not None and line.side == THEY:
            if line.text.startswith("("):
                if said:
                    break
                raise ConversationEnded(Reason.TIMEOUT if "within" in line.text else Reason.LOST)
            said.append(line.text)
            self._at += 1
        if not said:
            raise ConversationEnded(Reason.LOST)  # the kept dialogue is over
        return "".join(f"{one}\r\n" for one in said).encode("utf-8", "surrogateescape")

    async def start_tls(self, timeout: float) -> None:
        """Begin TLS in name only, or fail as it did then. Raises Differs and TlsFailed."""
        if self._at >= len(self.lines):
            raise TlsFailed("the kept dialogue ends before TLS")
        self._compare(until_tls=True)
        self._at += 1
        line = self._next
        if line is not None and line.side == THEY and line.text.startswith("("):
            raise TlsFailed(line.text.strip("()"))
        self.tls_info, self.is_proven = _REPLAYED, True

    def check_end(self) -> None:
        """Raise Differs if the client has not said all that is kept.

        What it says after that is not known to differ, and QUIT is not asked for.
        """
        line = self._next
        if line is not None and line.side == WE and line.text != "QUIT":
            self._differ(line.text, self._said() if self._unread else "")

    # ------------------------------------------------------------ comparing

    @property
    def _next(self) -> SpokenLine | None:
        return self.lines[self._at] if self._at < len(self.lines) else None

    def _compare(self, until_tls: bool = False) -> None:
        while (line := self._next) is not None and line.side == WE:
            if line.text == "(starts TLS)" and until_tls:
                return
            self._take(line.text)
            self._at += 1
        if self._has_ended and self._unread and self._unread[0].startswith(b"MAIL FROM:"):
            self._unread = []  # the envelope of what follows, which another dialogue has
        if self._unread and line is not None:
            self._differ(f"({line.text})", self._said())
        if until_tls:
            self._differ("" if line is None else line.text, "(starts TLS)")

    def _take(self, kept: str) -> None:
        """Take from what was said what stands for one kept line."""
        if not self._unread:
            self._differ(kept, "")
        if kept.endswith(_CONTENT) and b"." in self._unread:
            del self._unread[: self._unread.index(b".") + 1]
            self._has_ended = True
            return
        said = self._said()
        kept = "." if kept == "(a lone dot)" else kept
        if said != kept and not kept.endswith(HIDDEN):
            self._differ(kept, said)
        del self._unread[0]

    def _said(self) -> str:
        return self._unread[0].decode("utf-8", "surrogateescape")

    def _differ(self, kept: str, now: str) -> None:
        raise Differs(Difference(self._at + 1, kept, now))
