"""The lock of a maildrop: one POP3 session at a time, in all processes on one state folder.

It is a lock of the kernel on the file ``maildrop.lock`` in the account's folder, which ends with the
descriptor, also when the process is killed. The file itself stays, and is empty.
"""

import os
import threading
from contextlib import suppress

from twisted_mail.mail.outcome import Outcome, Refused
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.faults import DiskFaults

FILE = b"maildrop.lock"

_IN_USE = Outcome(450, "4.2.0", "Another POP3 session has the maildrop open")


def in_use() -> Refused:
    """Return the error for a maildrop that another session has."""
    return Refused(_IN_USE, "IN-USE")


class MaildropLock:
    """The lock that one session wants, in the folder of an account."""

    def __init__(self, disk: Disk, account: bytes, faults: DiskFaults) -> None:
        self._disk = disk
        self._faults = faults
        self._path = os.path.join(account, FILE)
        self._guard = threading.Lock()
        self._fd: int | None = None
        self._is_wanted = True

    def acquire(self) -> None:
        """Take the lock without waiting for it. In a thread. Raises Refused: IN-USE, Unavailable."""
        with self._faults.converted(self._path):
            fd = self._disk.overwrite(self._path)
            try:
                is_taken = self._disk.lock(fd)
            except BaseException:
                self._disk.close(fd)
                raise
        with self._guard:
            if is_taken and self._is_wanted:
                self._fd = fd
                return
        self._disk.close(fd)
        if not is_taken:
            raise in_use()

    def release(self) -> None:
        """Release the lock, or stop waiting for it while it is being taken; harmless when repeated."""
        with self._guard:
            self._is_wanted = False
            fd, self._fd = self._fd, None
        if fd is not None:
            with suppress(OSError):
                self._disk.close(fd)
