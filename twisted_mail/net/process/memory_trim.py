"""Memory, returned to the system: after the start, and after many connections have closed.

What a closed connection held is free at once, but the process keeps it: Python stores thousands of small
tuples for reuse, and each keeps the MiB that it is in; the C library does the same with larger pieces. Of
30 MiB that 5,000 idle connections had taken, 25 remained after they had closed, and 12 after this: the
MiBs in which there is something else by now. The next connections use those, and take no more in all.
"""

import ctypes
import gc

from twisted_mail.net.process.short_collections import ShortCollections
from twisted_mail.net.server.connection_limit import ConnectionLimit

MIN_CLOSED = 500  # connections that must have closed; fewer are not worth a pause
LARGE = (
    640 * 1024
)  # octets from which a piece is the system's: above the groups that bodies are read in
KEPT = 4 * 1024 * 1024  # octets at the end of each thread's memory that stay for what comes next
_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -3, -1  # of mallopt(3)


class MemoryTrim:
    """Waits until most connections have closed, and no more close."""

    def __init__(self, connection_limit: ConnectionLimit) -> None:
        self._limit = connection_limit
        self._served = 0  # at the last look

    async def work(self) -> None:
        """Return memory if many have closed since the last time."""
        limit = self._limit
        are_still_closing = limit.served < self._served
        self._served = limit.served
        closed = limit.peak - limit.served
        if not are_still_closing and closed >= max(MIN_CLOSED, limit.peak // 2):
            limit.peak = limit.served
            trim_memory()


def keep_large_apart() -> None:
    """Have each large piece of memory from the system alone, so that it goes back when it is freed.

    The C library begins so, but takes the size of each large piece that is freed for its new limit. The
    columns of a mailbox of 100,000 messages then lay among small pieces of the same thread, which keep
    what is freed around them: such a mailbox, when it was indexed, took 55 MiB instead of 20.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # only the GNU library has it
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, LARGE)
        set_option(_M_TRIM_THRESHOLD, KEPT)  # else 128 KiB: it no longer follows the other


def settle_memory() -> None:
    """Return what the start leaves, and let no collection look through what the start has made.

    Modules and parts live as long as the process. To look through them takes 20 to 30 ms, in which
    nobody is served, at each full collection; without them one takes 2 ms. For a process that
    serves: what is made until now is never collected, though still freed when nothing refers to it. What
    lives as long later is spared, too, once collections take long because of it.
    """
    trim_memory()
    gc.freeze()
    ShortCollections().install()


def trim_memory() -> None:
    """Return stored memory to the system; this blocks for some hundredths of a second."""
    gc.collect()  # nothing else empties what Python has stored for reuse
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # only the GNU library has it
    if trim is not None:
        trim(0)
