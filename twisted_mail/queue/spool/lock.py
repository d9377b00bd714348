"""Who has the queue: one server, or one program that mends it."""

import errno
import fcntl
import os
import time

from twisted_mail.queue.spool.schema import SpoolUnusable

NAME = "lock"
_PAUSE = 0.05  # seconds between two attempts


class QueueInUse(SpoolUnusable):
    """Somebody else has the queue."""


class QueueLock:
    """The lock of the queue in ``folder``: held until ``release``, or until the process ends."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, NAME)
        self._fd: int | None = None

    def take(self) -> bool:
        """Take the lock, if nobody has it; return whether that was so. Raises OSError."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return False
            raise
        self._fd = fd
        return True

    def require(self, seconds: float = 0.0) -> None:
        """Take the lock, and wait for it for so long at most. Blocks.

        Raises QueueInUse where somebody has it all the same, OSError.
        """
        until = time.monotonic() + seconds
        while not (is_ours := self.take()) and time.monotonic() < until:
            time.sleep(_PAUSE)
        if not is_ours:
            raise QueueInUse(f"another server, or a program that mends it, has {self._path}")

    def release(self) -> None:
        """Let others take the lock; harmless when it is not held."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
