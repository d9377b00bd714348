"""Cutting the client's stream into whole commands, literals inside (RFC 3501 §2.2.1, RFC 7888).

The octets of a literal can never become a command here, whatever is wrong with the rest: a literal that
is refused is swallowed first when it comes without being asked for, and the command that had it ends in
one fault. Memory is bounded by ``CommandLimits``; the message of an APPEND is handed on as it comes.

Only CRLF ends a line. A bare LF ends it too, so that both sides stay in step, but such a line is a fault
(a bare CR or a NUL likewise).
"""

from collections.abc import Generator

from twisted_mail.imap.framing_events import (
    HEAD,
    CommandLimits,
    CompleteCommand,
    ContinuationRequest,
    Event,
    InputOverflow,
    MessageBegins,
    MessageEnds,
    MessageOctets,
    RejectedCommand,
    tag_of,
)
from twisted_mail.imap.literals import ONE_LINE, TAIL, announced_literal
from twisted_mail.mail.foreign_protocol import TLS_HANDSHAKE, ForeignProtocol
from twisted_mail.mail.message import Blob
from twisted_mail.mail.outcome import MailError, ProtocolError, Refused


class Framer:
    """The framing of one connection's input; ``limits`` may be replaced between commands."""

    __slots__ = (
        "_blobs",
        "_buffer",
        "_command",
        "_dropped",
        "_events",
        "_fault",
        "_head",
        "_is_begun",
        "_literals",
        "_scanned",
        "_wasted",
        "limits",
    )

    def __init__(self, limits: CommandLimits) -> None:
        self.limits = limits
        self._buffer = bytearray()
        self._scanned = 0  # octets of the buffer that hold no line end
        self._head = b""  # the beginning of a line that is too long
        self._dropped = 0  # octets of that line that are gone
        self._command = bytearray()  # of a command that has a fault: enough to know its tag
        self._literals = 0
        self._wasted = 0  # octets of literals that were swallowed
        self._blobs: dict[int, Blob] = {}
        self._fault: MailError | None = None
        self._is_begun = False  # the first line of a command has been taken
        self._events = self._all_events()

    def feed(self, data: bytes) -> None:
        """Take octets of the stream."""
        self._buffer += data

    def begin(self, data: bytes) -> Event | None:
        """Take octets where nothing is held, and return the next event, as ``next`` does."""
        is_one = len(data) <= self.limits.one_line and not self._is_begun
        if is_one and ONE_LINE.fullmatch(data):
            return CompleteCommand(data[:-2], {})
        self.feed(data)
        return self.next()

    def next(self) -> Event | None:
        """Return the next event, or None when more octets are needed."""
        if not (self._is_begun or self._scanned):
            if not self._buffer:
                return None
            line = ONE_LINE.match(self._buffer)
            if line is not None and line.end() <= self.limits.one_line:
                return CompleteCommand(self._take(line.end())[:-2], {})
        return next(self._events, None)

    def line(self) -> bytes | None:
        """Return the next line as it is, without its end, or None when more octets are needed.

        For responses of AUTHENTICATE and the end of IDLE, so only between two commands. Raises
        ProtocolError for a line that is too long or malformed, InputOverflow for one without an end,
        ForeignProtocol for TLS.
        """
        line = self._cut_line()
        if line is None:
            return None
        self._check(line)
        error, self._fault = self._fault, None
        if error is not None:
            raise error
        return line[:-2]

    @property
    def is_empty(self) -> bool:
        """True when nothing has come since the end of the last command."""
        return not self._buffer and not self._command

    @property
    def held(self) -> int:
        """Return how many octets of an unfinished command are kept."""
        return len(self._buffer) + len(self._command)

    def attach(self, blob: Blob) -> None:
        """Give the message that has ended to the command it belongs to."""
        self._blobs[len(self._command)] = blob

    def refuse(self, error: MailError) -> None:
        """Let the present command end in a fault with this error, when it ends."""
        self._fault = self._fault or error

    def close(self) -> None:
        """Give up what is held. Nothing may be asked afterwards."""
        self._events.close()
        self._close_blobs()

    def _close_blobs(self) -> None:
        while self._blobs:
            self._blobs.popitem()[1].close()

    # ------------------------------------------------------------ commands

    def _all_events(self) -> Generator[Event | None, None, None]:
        try:
            while True:
                yield from self._one_command()
        except (InputOverflow, ForeignProtocol) as lost:
            self._close_blobs()
            self._is_begun = True  # and it never ends
            yield RejectedCommand(tag_of(self._command or self._head), lost, is_fatal=True)

    def _one_command(self) -> Generator[Event | None, None, None]:
        self._literals = self._wasted = 0
        line = yield from self._line()
        self._is_begun = True
        if line == b"\r\n":
            line = yield from self._line()  # clients send an empty line before a command
        while True:
            self._add(line)
            announced = announced_literal(line)
            if announced is None:
                break
            self._literals += 1
            size, is_awaited = announced
            self._check_size(size)
            if self._fault is not None and is_awaited:
                break  # no continuation, no octets: the command ends here
            yield from self._literal(size, is_awaited)
            line = yield from self._line()
        yield self._result()

    def _result(self) -> Event:
        self._is_begun = False
        command, self._command = self._command, bytearray()
        fault, self._fault = self._fault, None
        if fault is not None:
            self._close_blobs()
            return RejectedCommand(tag_of(command), fault)
        blobs, self._blobs = self._blobs, {}
        return CompleteCommand(bytes(command[:-2]), blobs)

    # ------------------------------------------------------------ literals

    def _literal(self, size: int, is_awaited: bool) -> Generator[Event | None, None, None]:
        if self._fault is not None:
            yield from self._discard(size)
        elif self._is_message():
            yield from self._message(size, is_awaited)
        else:
            if is_awaited:
                yield ContinuationRequest()
            yield from self._small(size)

    def _small(self, size: int) -> Generator[Event | None, None, None]:
        while len(self._buffer) < size:
            yield None
        octets = self._take(size)
        if 0 in octets:
            self.refuse(ProtocolError("A literal may not hold NUL"))
        self._command += octets

    def _message(self, size: int, is_awaited: bool) -> Generator[Event | None, None, None]:
        yield MessageBegins(size, is_awaited)
        while size:
            while not self._buffer:
                yield None
            octets = self._take(size)
            size -= len(octets)
            if 0 in octets:
                # No fault of the command: a client that brings old mail here is not to be cut off.
                self.refuse(Refused("A message may not hold NUL", "CANNOT"))
            yield MessageOctets(octets)
        yield MessageEnds()

    def _discard(self, size: int) -> Generator[Event | None, None, None]:
        self._wasted += size
        if self._wasted > self.limits.swallow or self._literals > self.limits.literals:
            raise InputOverflow("Too much data that nobody asked for", "TOOBIG")
        while size:
            size -= len(self._take(size))
            if size:
                yield None

    def _take(self, size: int) -> bytes:
        """Take at most ``size`` octets from the buffer."""
        if size >= len(self._buffer):
            octets = bytes(self._buffer)
            self._buffer.clear()
        else:
            octets = bytes(self._buffer[:size])
            del self._buffer[:size]
        return octets

    def _check_size(self, size: int) -> None:
        """Refuse a literal before its octets come."""
        limits = self.limits
        if self._literals > limits.literals:
            self.refuse(ProtocolError("The command has too many literals", "TOOBIG"))
        elif self._is_message():
            if size > limits.message:
                self.refuse(Refused("The message is too large", "TOOBIG"))
            elif self._blobs:
                self.refuse(ProtocolError("One message at a time"))
        elif size > limits.literal or len(self._command) + size > limits.command:
            self.refuse(ProtocolError("The literal is too large", "TOOBIG"))

    def _is_message(self) -> bool:
        """Return whether the present literal is the message of an APPEND.

        The only other one an APPEND can have is the mailbox, directly after the command's name.
        """
        words = bytes(self._command[:HEAD]).split(b" ", 2)
        if not self.limits.message or len(words) < 3 or words[1].upper() != b"APPEND":
            return False
        return self._literals > 1 or not words[2].startswith(b"{")

    # ------------------------------------------------------------ lines

    def _line(self) -> Generator[Event | None, None, bytes]:
        while (line := self._cut_line()) is None:
            yield None
        return line

    def _add(self, line: bytes) -> None:
        self._check(line)
        if self._fault is None and len(self._command) + len(line) > self.limits.command:
            self.refuse(ProtocolError("The command is too large", "TOOBIG"))
        if self._fault is None:
            self._command += line
        elif not self._command:
            self._command += line[:HEAD]

    def _check(self, line: bytes) -> None:
        if not line.endswith(b"\r\n"):
            self.refuse(ProtocolError("Lines must end with CRLF"))
        elif line.find(b"\r") != len(line) - 2 or b"\0" in line:
            self.refuse(ProtocolError("A line may not hold NUL or a bare CR"))

    def _cut_line(self) -> bytes | None:
        """Take a line with its end from the buffer; of one that is too long, head and tail."""
        if self._buffer.startswith(TLS_HANDSHAKE) and not (self._command or self._dropped):
            raise ForeignProtocol("TLS")  # at once: its line end may never come
        at = self._buffer.find(b"\n", self._scanned)
        if at < 0:
            self._shorten()
            return None
        self._scanned = 0
        line = self._take(at + 1)
        if self._dropped + len(line) <= self.limits.line + 2:
            return line
        self._head = self._head or line[:HEAD]
        self._give_up_after(self._dropped + len(line))
        self.refuse(ProtocolError("The line is too long", "TOOBIG"))
        line = self._head + line[-TAIL:]
        self._head, self._dropped = b"", 0
        return line

    def _shorten(self) -> None:
        """Drop the middle of a line that is too long already."""
        if self._dropped + len(self._buffer) > self.limits.line + 2:
            self._head = self._head or bytes(self._buffer[:HEAD])
            gone = max(0, len(self._buffer) - TAIL)
            del self._buffer[:gone]
            self._dropped += gone
            self._give_up_after(self._dropped)
        self._scanned = len(self._buffer)

    def _give_up_after(self, octets: int) -> None:
        if octets > self.limits.swallow:
            raise InputOverflow("The line is too long", "TOOBIG")
