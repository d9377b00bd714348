"""Whether there is room for one more job, and what is given up where there is none at all."""

import os

from twisted_mail.interfaces import DurableFiles
from twisted_mail.mail.outcome import Outcome

ID_TAKEN = Outcome(451, "4.3.0", "There is a message with this id already.")
TOO_MANY = Outcome(452, "4.3.1", "Too many messages wait; try again later.")
NO_ROOM = Outcome(452, "4.3.1", "There is no room for the message now.")

BALLAST = 4 * 1024 * 1024  # octets that are given up so that what was delivered can be noted
MIN_INODES = 1000  # free, with which a job is taken in
LOOK_SECONDS = 1.0  # between two looks at the file system
_PIECE = 64 * 1024


class FreeSpace:
    """The room of the file system that the queue is on. Used in the writing lane's thread.

    Below ``min_free`` octets no job is taken in. Some are kept in a file, the ballast, which is
    given up when the disk is full all the same: to remove what was delivered takes room in the log.
    """

    def __init__(self, folder: str, files: DurableFiles, min_free: int) -> None:
        self._folder = folder
        self._files = files
        self._min_free = min_free
        self._looked_at = float("-inf")
        self._is_enough = True

    @property
    def ballast(self) -> str:
        """Return the path of the file that is given up."""
        return os.path.join(self._folder, "ballast")

    def is_enough(self, now: float) -> bool:
        """Return whether a job may be taken in; ``now`` is of a clock that is never set back.

        Raises OSError.
        """
        if now - self._looked_at >= LOOK_SECONDS:
            octets, inodes = self._files.room(self._folder)
            self._is_enough = octets >= self._min_free and inodes >= MIN_INODES
            self._looked_at = now
        return self._is_enough

    def give_up_ballast(self) -> bool:
        """Remove the ballast; return whether there was any. Raises OSError."""
        had_any = self._files.read(self.ballast, 1) is not None
        self._files.remove(self.ballast)
        return had_any

    def take_ballast(self) -> None:
        """Write the ballast, if it is not there and there is room again. Raises OSError."""
        octets, _ = self._files.room(self._folder)
        if octets >= self._min_free + 2 * BALLAST and not self._files.read(self.ballast, 1):
            self._files.write(self.ballast, [os.urandom(_PIECE)] * (BALLAST // _PIECE))
