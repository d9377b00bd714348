"""Which messages' files could not be used, so that a session hears of those that it asked for."""

from collections.abc import Iterable

MAX_REMEMBERED = 10_000  # UIDs of one mailbox


class FaultyMessages:
    """UIDs of messages whose files could not be read or renamed, each with the number of its last fault.

    Faults are added in the account's lane; any thread may ask. Only the last ones are remembered, which
    is enough for whoever asks whether there are any.
    """

    def __init__(self) -> None:
        self._last: dict[int, int] = {}
        self.count = 0  # faults so far

    def add(self, uid: int) -> None:
        """Add a fault of a message."""
        self._last.pop(uid, None)
        if len(self._last) >= MAX_REMEMBERED:
            del self._last[next(iter(self._last))]
        self.count += 1
        self._last[uid] = self.count

    def since(self, count: int, uids: Iterable[int]) -> set[int]:
        """Return those of the UIDs that had a fault since there were this many."""
        if self.count == count:
            return set()
        last = self._last
        return {uid for uid in uids if last.get(uid, 0) > count}
