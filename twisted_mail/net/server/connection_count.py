"""How many connections there are, in all and from each address: of one process, or of several.

Several processes count in memory that they share. Each writes a row of its own and reads all, so no lock
is needed, and a process that dies leaves none; its row is emptied by the process that started it. Two
processes that accept a connection at the same moment may exceed a limit by one.
"""

import hashlib
import mmap
import os
import tempfile
from dataclasses import dataclass
from typing import Protocol

SLOTS = 1 << 16  # of addresses, for each listener; those of one slot are counted together
_WIDTH = 4  # octets of a number
_EMPTY = memoryview(bytes(4096)).cast("I")  # divides SLOTS


class ConnectionCounter(Protocol):
    """Counts the connections of one listener by key; the empty key counts all of them."""

    def change(self, key: str, by: int) -> None:
        """Add to a count."""

    def count(self, key: str) -> int:
        """Return a count."""


class LocalConnectionCounter:
    """The counts of a server in one process. Fulfils ``ConnectionCounter``."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}  # without zeros

    def change(self, key: str, by: int) -> None:
        """Add to a count."""
        count = self._counts.pop(key, 0) + by
        if count:
            self._counts[key] = count

    def count(self, key: str) -> int:
        """Return a count."""
        return self._counts.get(key, 0)

    def __len__(self) -> int:
        """Return how many counts are kept."""
        return len(self._counts)


@dataclass(frozen=True, slots=True)
class SharedCountLayout:
    """The layout of the shared memory: its dimensions, and the key that spreads addresses over slots.

    The key is random, so that nobody can choose addresses that are counted together.
    """

    processes: int
    listeners: int
    key: bytes

    @property
    def row(self) -> int:
        """Return how many numbers one process has."""
        return self.listeners * SLOTS

    @property
    def size(self) -> int:
        """Return the octets of all."""
        return self.processes * self.row * _WIDTH


class SharedCountMemory:
    """The shared memory, as seen by the process whose row is ``process``; the others inherit ``fd``.

    Pages that are never written take no memory, however large the layout is.
    """

    def __init__(self, layout: SharedCountLayout, process: int, fd: int | None = None) -> None:
        self.layout = layout
        self.fd = _memory(layout.size) if fd is None else fd
        self._process = process
        self._numbers = memoryview(mmap.mmap(self.fd, layout.size)).cast("I")

    def listener(self, number: int) -> "SharedConnectionCounter":
        """Return the counts of one listener."""
        return SharedConnectionCounter(self.layout, self._numbers, self._process, number)

    def forget(self, process: int) -> None:
        """Empty the row of a process that has ended."""
        row = self.layout.row
        for at in range(process * row, (process + 1) * row, len(_EMPTY)):
            page = self._numbers[at : at + len(_EMPTY)]
            if page != _EMPTY:  # a page that was never written stays so
                page[:] = _EMPTY


def _memory(size: int) -> int:
    """Return a descriptor of memory that can be shared."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("twisted_mail counts", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, size)
    return fd


class SharedConnectionCounter:
    """The counts of one listener in all processes. Fulfils ``ConnectionCounter``.

    Fulfils ``balanced_port.SharedLoad`` in all processes but the first, which is not among them.
    """

    def __init__(
        self, layout: SharedCountLayout, numbers: memoryview, process: int, listener: int
    ) -> None:
        self._key = layout.key
        self._numbers = numbers
        self._own = process * layout.row + listener * SLOTS
        self._rows = [row * layout.row + listener * SLOTS for row in range(layout.processes)]

    def change(self, key: str, by: int) -> None:
        """Add to a count, of this process alone."""
        self._numbers[self._own + self._slot(key)] += by

    def count(self, key: str) -> int:
        """Return a count, of all processes."""
        slot = self._slot(key)
        return sum(self._numbers[row + slot] for row in self._rows)

    @property
    def own(self) -> int:
        """Return the number of connections of this process."""
        return self._numbers[self._own]

    @property
    def least(self) -> int:
        """Return the lowest number of connections that any process but the first has."""
        return min(self._numbers[row] for row in self._rows[1:])

    def _slot(self, key: str) -> int:
        """Return the slot of a key: 0 is for all connections together, and for nothing else."""
        if not key:
            return 0
        digest = hashlib.blake2b(key.encode(), key=self._key, digest_size=8).digest()
        return 1 + int.from_bytes(digest, "big") % (SLOTS - 1)
