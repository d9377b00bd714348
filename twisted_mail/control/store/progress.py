"""How far a long command is: a bar on a terminal, a line now and then elsewhere, nothing with --json."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

_BAR = 24  # characters
_TERMINAL_SECONDS = 0.1
_LINE_SECONDS = 10.0

GO_ON = "the same command goes on where it ended"  # for a command that was interrupted


class Progress:
    """Counts what is done of ``total`` (0: not known), and shows it on standard error."""

    def __init__(
        self,
        total: int,
        is_shown: bool = True,
        noun: str = "messages",
        stream: TextIO | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = total
        self.done = 0
        self.place = ""
        self._noun = noun
        self._stream = sys.stderr if stream is None else stream
        self._is_shown = is_shown
        self._is_terminal = self._stream.isatty()
        self._now = now
        self._began = self._shown_at = now()
        self._is_drawn = False

    def step(self, number: int = 1) -> None:
        """Count what has been done, and show it if it is time."""
        self.done += number
        every = _TERMINAL_SECONDS if self._is_terminal else _LINE_SECONDS
        if self._is_shown and self._now() - self._shown_at >= every:
            self._shown_at = self._now()
            self._show()

    def _show(self) -> None:
        if self._is_terminal:
            self._is_drawn = True
            self._stream.write(f"\r{self.line()}\x1b[K")
        else:
            self._stream.write(f"{self.line().strip()}\n")
        self._stream.flush()

    def line(self) -> str:
        """Return what is shown."""
        rate = self.done / max(self._now() - self._began, 0.001)
        parts = [f"{self.done}/{self.total}" if self.total else str(self.done)]
        parts += [self._noun, f"{rate:.0f}/s"]
        if self.total and rate:
            parts.append(f"{_minutes((self.total - self.done) / rate)} left")
        parts.append("".join(sign for sign in self.place if sign.isprintable())[:30])
        return f"{self._bar()}{'  '.join(parts)}"

    def _bar(self) -> str:
        if not self._is_terminal or not self.total:
            return ""
        full = min(_BAR, self.done * _BAR // self.total)
        return f"[{'#' * full}{'.' * (_BAR - full)}] "

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def _minutes(seconds: float) -> str:
    whole = max(0, round(seconds))
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"
