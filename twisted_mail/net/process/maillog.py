"""The mail log: a file with a line for each event of mail, next to the log that twistd keeps.

Lines of one round of the reactor are written together. Several processes may write to one file: each
write is at its end, and whole. After a file was renamed or removed, as logrotate does, a new one is made.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

LOOK_SECONDS = 1.0  # between two checks that the file is still there
TROUBLE_SECONDS = 60.0  # between two tries to open a file that cannot be written
_MODE = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


class MailLog:
    """Writes lines to one file, which the first of them opens. Reactor thread only.

    What cannot be written goes to ``otherwise``, a line at a time, after a line that says why.
    """

    def __init__(self, reactor: Any, path: Path, otherwise: Callable[[str], object]) -> None:
        self._reactor = reactor
        self._path = path
        self._otherwise = otherwise
        self._lines: list[str] = []
        self._fd = -1
        self._looked_at = 0.0
        self._idle_until = 0.0  # after a failure
        self._second, self._stamp = -1, ""

    def write(self, text: str) -> None:
        """Take a line, without its end."""
        if not self._lines:
            self._reactor.callLater(0, self.flush)
        self._lines.append(f"{self._now()} {text}\n")

    def _now(self) -> str:
        second = int(self._reactor.seconds())
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(second))
        return self._stamp

    def flush(self) -> None:
        """Write what was taken."""
        lines, self._lines = self._lines, []
        if not lines:
            return
        try:
            self._open()
            data = "".join(lines).encode("utf-8", "backslashreplace")
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            self._fail(error, lines)

    def _open(self) -> None:
        now = self._reactor.seconds()
        # The clock may have been set back: a time far ahead does not count.
        if 0 < self._idle_until - now <= TROUBLE_SECONDS:
            raise BlockingIOError
        if self._fd >= 0 and 0 <= now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        if self._fd < 0 or not self._is_there():
            self.close()
            self._fd = os.open(self._path, _MODE, 0o640)

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._fd))
        except FileNotFoundError:
            return False

    def _fail(self, error: OSError, lines: list[str]) -> None:
        if not isinstance(error, BlockingIOError):
            self._idle_until = self._reactor.seconds() + TROUBLE_SECONDS
            self._otherwise(f"the mail log {self._path} cannot be written: {error.strerror}")
            self.close()
        for line in lines:
            self._otherwise(line.partition(" ")[2].rstrip("\n"))

    def close(self) -> None:
        """Close the file; it is opened again for the next line."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with suppress(OSError):
                os.close(fd)
