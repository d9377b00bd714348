"""The memory of mailboxes that were closed lately: whoever opens one again finds its columns there."""

from collections import OrderedDict
from collections.abc import Callable

MAX_OCTETS = 32 * 1024 * 1024  # of all accounts together: some 700,000 messages


class ClosedMailboxes:
    """The closed mailboxes of a process that are in memory, by their numbers. Reactor thread only.

    All accounts share one bound; the mailbox that was closed first is forgotten first, and the last one
    stays, however large it is.
    """

    def __init__(self, max_octets: int = MAX_OCTETS) -> None:
        self._max_octets = max_octets
        self._octets = 0
        self._closed: OrderedDict[int, tuple[int, Callable[[], None]]] = OrderedDict()

    def put(self, mailbox: int, octets: int, forget: Callable[[], None]) -> None:
        """Count a mailbox that was closed, or has grown since; ``forget`` is called for lack of space."""
        self._octets += octets - self._closed.get(mailbox, (0,))[0]
        self._closed[mailbox] = octets, forget
        while self._octets > self._max_octets and len(self._closed) > 1:
            _, (gone, forget) = self._closed.popitem(last=False)
            self._octets -= gone
            forget()

    def remove(self, mailbox: int) -> None:
        """Count a mailbox no more: it is open again, or gone."""
        self._octets -= self._closed.pop(mailbox, (0,))[0]
