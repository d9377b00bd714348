"""Which messages the full-text indexes know, in memory: every search asks for their UIDs.

All accounts of a process share one bound; what was not asked for the longest goes first.
"""

from array import array
from collections import OrderedDict
from threading import Lock

MAX_OCTETS = 8 * 1024 * 1024  # of all lists together: a million messages
_ENTRY_OCTETS = 300  # what a list takes besides its UIDs

Key = tuple[object, int, int]  # the state of one index, its number of a mailbox, what is known


class KnownUids:
    """Lists of UIDs, ascending, by what they are of. Used by all threads; nobody alters a list."""

    def __init__(self, max_octets: int = MAX_OCTETS) -> None:
        self._max_octets = max_octets
        self._octets = 0
        self._lists: OrderedDict[Key, array[int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key) -> "array[int] | None":
        """Return a list, which stays for longer than others; None where it is not here."""
        with self._lock:
            found = self._lists.get(key)
            if found is not None:
                self._lists.move_to_end(key)
            return found

    def put(self, key: Key, uids: "array[int]") -> None:
        """Keep a list, if it is not larger than all together may be."""
        with self._lock:
            if key in self._lists or _size(uids) > self._max_octets:
                return
            self._lists[key] = uids
            self._octets += _size(uids)
            while self._octets > self._max_octets:
                _, gone = self._lists.popitem(last=False)
                self._octets -= _size(gone)


def _size(uids: "array[int]") -> int:
    return _ENTRY_OCTETS + uids.itemsize * len(uids)
