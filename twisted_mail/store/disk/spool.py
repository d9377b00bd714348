"""Where the bytes of messages are on their way: in memory up to a bound, then in a file without a name.

Beyond a bound of its own a message stays in memory as long as the budget of all messages allows it.
A file without a name needs no cleaning up: it is gone with its descriptor, power loss included.
"""

import errno
import os

from twisted_mail.interfaces import Blocking
from twisted_mail.mail.message import PIECE, Blob, MemoryBlob
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.store.disk.blob import Descriptor, FileBlob
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.faults import UNREPORTED, DiskFaults
from twisted_mail.store.disk.memory_budget import Budget, BudgetedBlob, BudgetShare

IN_MEMORY = 16 * 1024  # octets that a message may always have in memory
NO_BUDGET = Budget(0, 0)
_DISK = Disk()
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class SpoolWriter:
    """Collects the octets of a message whose size is not known yet. Fulfils ``interfaces.BlobWriter``.

    At most ``in_memory`` octets are held, and beyond that what ``budget`` allows: all of the message, or
    a piece at a time on the way to a file. Files are made in ``folder``, without a name. ``faults`` hears
    of errors of the disk.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        blocking: Blocking,
        in_memory: int = IN_MEMORY,
        budget: Budget = NO_BUDGET,
        disk: Disk = _DISK,
        faults: DiskFaults = UNREPORTED,
    ) -> None:
        self._folder = os.fsencode(folder)
        self._disk = disk
        self._faults = faults
        self._blocking = blocking
        self._in_memory = in_memory
        self._budget = budget
        self._share: BudgetShare | None = None  # of the budget, once anything is taken of it
        self._size = 0
        self._held = bytearray()
        self._file: Descriptor | None = None
        self._is_over = False  # nothing more is kept
        self._failure: Unavailable | None = None  # why, if the disk was at fault

    @property
    def size(self) -> int:
        """Return the number of octets written so far, including those that were not kept."""
        return self._size

    async def write(self, data: bytes) -> None:
        """Add octets. Raises Unavailable."""
        self._size += len(data)
        if self._is_over:
            return
        self._held += data
        if not self._may_hold(len(self._held)):
            await self._spill()

    def _may_hold(self, octets: int) -> bool:
        """Return whether this many octets may stay in memory for now."""
        if self._file is not None and octets > PIECE:
            return False
        if octets <= self._in_memory:
            return True
        if self._share is None:
            self._share = BudgetShare(self._budget)
        return self._share.covers(octets)

    async def _spill(self) -> None:
        """Write what is in memory to the file."""
        data, self._held = self._held, bytearray()
        try:
            if self._file is None:
                self._file = await self._blocking.run(_unnamed, self._disk, self._folder)
            await self._blocking.run(_write, self._file, data)
            self._give_back()  # not before: a disk that is slow would let others take the same memory
        except OSError as error:
            self._faults.note(self._folder, error)
            failure = _answer_to(error)
            self._fail(failure)
            raise failure from error
        except Unavailable as error:
            self._fail(error)
            raise
        except BaseException:  # the session ended: what is here is not whole
            self.discard()
            raise

    async def finish(self) -> Blob:
        """Return all that was written, as a blob that the caller owns. Raises Unavailable."""
        if not self._is_over and self._file is not None and self._held:
            await self._spill()
        if self._is_over:
            raise self._failure or Unavailable("The message is not kept.")
        blob = self._blob()
        self._file = None
        self.discard()
        return blob

    def _blob(self) -> Blob:
        if self._file is not None:
            return FileBlob(self._file, self._size)
        data, share = bytes(self._held), self._share
        self._share = None  # the blob's from now on
        return MemoryBlob(data) if share is None else BudgetedBlob(data, share)

    def discard(self) -> None:
        """Forget what was written; what comes now is only counted."""
        if not self._is_over:
            self._is_over = True
            self._held = bytearray()
            self._give_back()
            if self._file is not None:
                self._file.close()
                self._file = None

    def _give_back(self) -> None:
        if self._share is not None:
            self._share.close()
            self._share = None

    def _fail(self, failure: Unavailable) -> None:
        self._failure = failure
        self.discard()


def _answer_to(error: OSError) -> Unavailable:
    if error.errno in _FULL:
        return Unavailable(Outcome(452, "4.3.1", "There is no room for the message now."))
    return Unavailable("The message cannot be stored now.")


def _unnamed(disk: Disk, folder: bytes) -> Descriptor:
    """Open a new file without a name."""
    return Descriptor(disk.create_unnamed(folder), disk)


def _write(file: Descriptor, data: bytearray) -> None:
    with file.use() as number:
        file.disk.write(number, data)
