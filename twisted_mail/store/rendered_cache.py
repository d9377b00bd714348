"""Rendered items in memory, of messages in open mailboxes: what clients ask for again and again.

What is rendered from a message never changes, so an entry is right for as long as the message is there.
All accounts of a process share one bound; what was not asked for the longest goes first.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping

from twisted_mail.mail.mailbox.entry import RenderedItems

# Of all entries together: the envelopes of some ten thousand messages.
MAX_OCTETS = 16 * 1024 * 1024
MAX_ENTRY_OCTETS = 1024 * 1024  # a larger one is not kept
MAX_AT_ONCE = 200  # of more than these asked for together, none is kept
_ENTRY_OCTETS = 400  # what an entry takes besides its octets

Key = tuple[int, int]  # the number of an open mailbox, the UID


class RenderedCache:
    """The rendered items of a process. Reactor thread only."""

    def __init__(
        self, max_octets: int = MAX_OCTETS, max_entry_octets: int = MAX_ENTRY_OCTETS
    ) -> None:
        self._max_octets = max_octets
        self._max_entry_octets = max_entry_octets
        self._octets = 0
        self._entries: OrderedDict[Key, RenderedItems] = OrderedDict()

    def get(self, mailbox: int, uids: Iterable[int]) -> dict[int, RenderedItems]:
        """Return those that are here, by their UIDs; they stay for longer than others."""
        entries = self._entries
        found = {uid: entries[mailbox, uid] for uid in uids if (mailbox, uid) in entries}
        for uid in found:
            entries.move_to_end((mailbox, uid))
        return found

    def put(self, mailbox: int, items: Mapping[int, RenderedItems | None]) -> None:
        """Keep items that were rendered; None is no item, and is passed over.

        A very large one is not kept: a message of very many parts must not drive out all others. Nor is
        what comes with very many others: who reads a whole mailbox seldom asks for the same soon again.
        """
        if len(items) > MAX_AT_ONCE:
            return
        for uid, entry in items.items():
            if entry is None or (mailbox, uid) in self._entries:
                continue
            size = _size(entry)
            if size <= self._max_entry_octets:
                self._entries[mailbox, uid] = entry
                self._octets += size
        while self._octets > self._max_octets:
            _, gone = self._entries.popitem(last=False)
            self._octets -= _size(gone)


def _size(entry: RenderedItems) -> int:
    envelope, body, structure, _, fields, preview, outline = entry
    octets = len(envelope) + len(body) + len(structure) + len(preview) + len(outline)
    return _ENTRY_OCTETS + octets + len(fields or b"")
