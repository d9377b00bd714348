"""Memory, given back to the system when a crowd has gone.

What a closed connection held is free at once, but the process keeps it: Python lays thousands of small
tuples by for use again, and each holds the MiB in which it lies, and so does the C library with larger
pieces. Of 30 MiB that 5,000 idle connections had taken, 25 remained when they had gone; after this, 12:
the MiBs in which something else lies by now. The next crowd finds them, and takes no more in all.
"""

import ctypes
import gc

from twisted_mail.net.server.connection_limit import ConnectionLimit

MIN_CLOSED = 500  # connections that must have gone; what less leave behind is not worth a pause


class MemoryTrim:
    """Waits for most of a crowd to go, and for the going to end: the last leave as much behind."""

    def __init__(self, connection_limit: ConnectionLimit) -> None:
        self._crowd = connection_limit
        self._served = 0  # when this looked last

    async def work(self) -> None:
        """Give memory back, if so many have gone since the last time."""
        connection_limit = self._crowd
        is_going_on = connection_limit.served < self._served
        self._served = connection_limit.served
        if not is_going_on and connection_limit.peak - connection_limit.served >= max(
            MIN_CLOSED, connection_limit.peak // 2
        ):
            connection_limit.peak = connection_limit.served
            trim_memory()


def trim_memory() -> None:
    """Give the system what is laid by; nothing else goes on for some hundredths of a second."""
    gc.collect()  # it also empties what Python has laid by, and nothing else does
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # only the GNU library has it
    if trim is not None:
        trim(0)
