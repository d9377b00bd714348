"""Octets from a client, cut into commands and what belongs to them, for each protocol.

Only as exact as faults need it: what is no command goes on to the session as it is.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from twisted_mail.mail.foreign_protocol import TLS_HANDSHAKE
from twisted_mail.testing.faults import END_OF_MESSAGE

LONGEST_LINE = 64 * 1024  # octets; a longer one goes on in pieces
_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r?\n$")


@dataclass(frozen=True, slots=True)
class Unit:
    """Octets that go on together. ``command`` is empty for what belongs to the command before."""

    octets: bytes
    command: str = ""


class CommandCutter:
    """Cuts a stream; a subclass knows one protocol.

    ``answer`` is the last line that the server sent, and empty when a command has come since.
    """

    def __init__(self) -> None:
        self.buffer = b""
        self.answer = b""
        self._left = 0  # octets of content that are still to come

    def next(self) -> Unit | None:
        """Return the next unit, or None while it is not complete."""
        if self._left and self.buffer:
            piece = self._take(self._left)
            self._left -= len(piece)
            return Unit(piece)
        if self.buffer[:1] == TLS_HANDSHAKE:  # which has no lines
            return Unit(self._take(LONGEST_LINE))
        return self._next_line(self._name)

    def _take(self, size: int) -> bytes:
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def _next_line(self, name: Callable[[bytes], str]) -> Unit | None:
        end = self.buffer.find(b"\n") + 1
        if not end:
            return Unit(self._take(LONGEST_LINE)) if len(self.buffer) > LONGEST_LINE else None
        line = self._take(end)
        command = name(line)
        self.answer = b""
        return Unit(line, command)

    def _name(self, line: bytes) -> str:
        """Return the name of the command in a line, or nothing if the line is none."""
        raise NotImplementedError


class Pop3Cutter(CommandCutter):
    """Every line is a command, unless the server asked for more (AUTH)."""

    def _name(self, line: bytes) -> str:
        return "" if self.answer.startswith(b"+ ") else _word(line, 0)


class SmtpCutter(CommandCutter):
    """DATA has content up to the dot, BDAT of the length that it names."""

    def __init__(self) -> None:
        super().__init__()
        self._is_data = False

    def next(self) -> Unit | None:
        """Return the next unit."""
        if self.answer.startswith(b"354"):
            self._is_data, self.answer = True, b"\n"
        return self._next_of_data() if self._is_data else super().next()

    def _next_of_data(self) -> Unit | None:
        """Return a line of the message."""
        unit = self._next_line(lambda line: END_OF_MESSAGE if line == b".\r\n" else "")
        self._is_data = unit is None or unit.command != END_OF_MESSAGE
        return unit

    def _name(self, line: bytes) -> str:
        if self.answer.startswith(b"334"):
            return ""
        name = _word(line, 0)
        if name == "BDAT" and (size := _word(line, 1)).isdecimal():
            self._left = int(size)
        return name


class ImapCutter(CommandCutter):
    """A command goes over several lines where literals are in it (RFC 3501 §4.3, RFC 7888)."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = 0  # the octets of a literal for which the server is to ask
        self._is_inside = False

    def next(self) -> Unit | None:
        """Return the next unit."""
        if self._asked and self.answer:
            self._left = self._asked if self.answer.startswith(b"+") else 0
            self._is_inside = bool(self._left)
            self._asked = 0
            self.answer = b""
        return super().next()

    def _name(self, line: bytes) -> str:
        is_inside = self._is_inside
        literal = _LITERAL.search(line)
        self._is_inside = literal is not None
        if literal is not None and literal[2]:
            self._left = int(literal[1])
        elif literal is not None:
            self._asked = int(literal[1])
        if is_inside or _word(line, 0) == "DONE":
            return "" if is_inside else "DONE"
        if self.answer.startswith(b"+"):
            return ""
        name = _word(line, 1)
        return _word(line, 2) if name == "UID" else name


def _word(line: bytes, number: int) -> str:
    words = line.split(None, number + 1)
    return words[number].decode("latin-1").upper() if len(words) > number else ""


def cutter_for(service: str) -> CommandCutter:
    """Return a new cutter for the protocol of a service."""
    return {"imap": ImapCutter, "pop3": Pop3Cutter}.get(service, SmtpCutter)()
