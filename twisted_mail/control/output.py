"""Output of the control command: one answer for people or as JSON, errors without tracebacks."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO

FINE, FAILED, WRONG_USE = 0, 1, 2  # exit codes; the last for usage and configuration


def os_error_text(error: OSError) -> str:
    """Return an error of the system in words: the file, if it names one, and what is wrong."""
    name = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    return f"{name}{error.strerror or error}"


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The outcome of a command: ``data`` for programs, ``lines`` for people, the exit code.

    All of it ``is_shown`` already by a command that goes on for long.
    """

    data: dict[str, Any]
    lines: Sequence[str]
    code: int = FINE
    is_shown: bool = False


class CommandError(Exception):
    """Why a command was not done; ``details`` are lines of their own."""

    def __init__(self, text: str, code: int = FAILED, details: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.details = tuple(details)


@dataclass(frozen=True, slots=True)
class Printer:
    """Writes answers to standard output and errors to standard error."""

    is_json: bool = field(default=False)

    def answer(self, answer: CommandResult) -> int:
        """Print an answer; return its exit code."""
        if answer.is_shown:
            return answer.code
        if self.is_json:
            self._print_json({"ok": answer.code == FINE, **answer.data})
        else:
            _write(sys.stdout, answer.lines)
        sys.stdout.flush()
        return answer.code

    def complain(self, complaint: CommandError) -> int:
        """Print an error; return its exit code."""
        if self.is_json:
            self._print_json(
                {"ok": False, "error": complaint.text, "details": list(complaint.details)}
            )
        _write(sys.stderr, (*complaint.details, f"twisted-mail: {complaint.text}"))
        return complaint.code

    def note(self, text: str) -> None:
        """Print a remark next to the answer, for people only."""
        if not self.is_json:
            _write(sys.stderr, [f"twisted-mail: {text}"])

    def _print_json(self, data: dict[str, Any]) -> None:
        print(json.dumps(data, indent=2, ensure_ascii=True))


def show(lines: Iterable[str]) -> None:
    """Print lines at once."""
    _write(sys.stdout, lines)
    sys.stdout.flush()


def _write(stream: TextIO, lines: Iterable[str]) -> None:
    """Write lines; characters that the terminal cannot show, or would execute, are escaped."""
    for line in lines:
        shown = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in line)
        known = stream.encoding or "utf-8"
        stream.write(shown.encode(known, "backslashreplace").decode(known) + "\n")


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return aligned lines, the titles first; nothing at all when there are no rows."""
    if not rows:
        return []
    lines = [titles, *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(titles))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def count(number: int, noun: str, plural: str = "") -> str:
    """Return ``1 account``, ``2 accounts``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def moment(seconds: int) -> str | None:
    """Return a time since 1970 as JSON shows it; None for 0."""
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else None


def day(seconds: int) -> str:
    """Return the day of a time since 1970 as tables show it; ``-`` for 0."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}" if seconds else "-"
