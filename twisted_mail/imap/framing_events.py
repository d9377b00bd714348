"""What framing finds in the client's stream, and the limits it keeps."""

from dataclasses import dataclass, field

from twisted_mail.imap.grammar import Reader
from twisted_mail.mail.message import Blob
from twisted_mail.mail.outcome import MailError, ProtocolError

HEAD = 160  # octets that are kept of a line that is too long, for its tag


class InputOverflow(ProtocolError):
    """So much would have to be thrown away that the client is given up."""


@dataclass(frozen=True, slots=True)
class CommandLimits:
    """What one command may hold, in octets.

    ``literal`` is for literals that stay in memory, ``message`` for the message of an APPEND (0 where
    there can be none), ``command`` for all lines and literals but that message; ``swallow`` is how much
    is thrown away in silence before the client is given up. ``one_line`` follows: the longest line, with
    CRLF, that can be a command by itself.
    """

    line: int
    literal: int
    literals: int
    command: int
    message: int
    swallow: int
    one_line: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "one_line", min(self.line + 2, self.command))


@dataclass(slots=True)
class CompleteCommand:
    """One command, without the CRLF that ends it, and its messages by position."""

    data: bytes
    blobs: dict[int, Blob]


@dataclass(frozen=True, slots=True)
class RejectedCommand:
    """A command that was dropped: its tag (``*`` if there was none), and why.

    After a fatal one the stream cannot be followed any more.
    """

    tag: str
    error: MailError
    is_fatal: bool = False


def tag_of(command: bytes | bytearray) -> str:
    """Return the tag of a command that may be malformed, or ``*``."""
    try:
        return Reader(bytes(command[:HEAD])).tag()
    except ProtocolError:
        return "*"


@dataclass(frozen=True, slots=True)
class ContinuationRequest:
    """The client waits for a continuation before it sends a literal."""


@dataclass(frozen=True, slots=True)
class MessageBegins:
    """A message of ``size`` octets comes; ``is_awaited`` as in ``ContinuationRequest``."""

    size: int
    is_awaited: bool


@dataclass(frozen=True, slots=True)
class MessageOctets:
    """Some octets of the message."""

    data: bytes


@dataclass(frozen=True, slots=True)
class MessageEnds:
    """All its octets have come; the session answers with ``attach`` or ``refuse``."""


MessageEvent = MessageBegins | MessageOctets | MessageEnds
Event = CompleteCommand | RejectedCommand | ContinuationRequest | MessageEvent
