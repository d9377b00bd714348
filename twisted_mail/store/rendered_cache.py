"""Rendered items in memory, of messages in open mailboxes: what clients ask for again and again.

What is rendered from a message never changes, so an entry is right for as long as the message is there,
and it goes with the message. All accounts of a process share one bound, of which one account has a part
at most: the account that asked least lately gives first, of its mailboxes the one that it asked for the
longest ago, and of that one the entries that were not asked for the longest.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from twisted_mail.mail.mailbox.entry import ItemTier, RenderedItems

MAX_OCTETS = 32 * 1024 * 1024  # of all entries together
MAX_SHARE_OCTETS = 24 * 1024 * 1024  # of one account: some twelve thousand usual messages
MAX_ENTRY_OCTETS = 1024 * 1024  # a larger one is not kept
_ENTRY_OCTETS = 520  # what an entry takes besides its octets


class RenderedCache:
    """The rendered items of a process. Reactor thread only."""

    def __init__(
        self,
        max_octets: int = MAX_OCTETS,
        max_share_octets: int = MAX_SHARE_OCTETS,
        max_entry_octets: int = MAX_ENTRY_OCTETS,
    ) -> None:
        self._max_octets = max_octets
        self._max_share_octets = max_share_octets
        self.max_entry_octets = max_entry_octets
        self._octets = 0
        self._shares: OrderedDict[CacheShare, None] = OrderedDict()  # those that have entries

    def share(self) -> "CacheShare":
        """Return the part of one more account, which is empty."""
        return CacheShare(self)

    def note_use(self, share: "CacheShare") -> None:
        """Note that a share with entries is asked."""
        self._shares.move_to_end(share)

    def note_change(self, share: "CacheShare", octets: int) -> None:
        """Count what was added to a share, or less than nothing, and make room for it."""
        self._octets += octets
        self._shares[share] = None
        self._shares.move_to_end(share)
        while share.octets > self._max_share_octets:
            self._octets -= share.drop_oldest()
        while self._octets > self._max_octets:
            oldest = next(iter(self._shares))
            self._octets -= oldest.drop_oldest()
            if not oldest.octets:
                del self._shares[oldest]
        if not share.octets:
            self._shares.pop(share, None)


@dataclass(slots=True)
class MailboxItems:
    """The rendered items of one mailbox by UID, those that were not asked for the longest first."""

    entries: OrderedDict[int, RenderedItems] = field(default_factory=OrderedDict)
    octets: int = 0

    def lacks(self, uid: int, tier: ItemTier) -> bool:
        """Return whether the items of a message are not here up to a tier."""
        entry = self.entries.get(uid)
        return entry is None or entry.tier < tier

    def put(self, uid: int, entry: RenderedItems, size: int) -> None:
        """Keep items, which take ``size`` octets, in the place of those that may be here."""
        less = self.entries.pop(uid, None)
        self.entries[uid] = entry
        self.octets += size - (0 if less is None else _size(less))

    def drop(self, uids: Iterable[int]) -> None:
        """Drop the entries of messages."""
        for uid in uids:
            entry = self.entries.pop(uid, None)
            if entry is not None:
                self.octets -= _size(entry)

    def drop_oldest(self) -> int:
        """Drop the entry that was not asked for the longest; return its octets."""
        _, entry = self.entries.popitem(last=False)
        size = _size(entry)
        self.octets -= size
        return size


_NOTHING = MailboxItems()


class CacheShare:
    """The rendered items of one account; ``octets`` is what they take."""

    __slots__ = ("_cache", "_mailboxes", "octets")

    def __init__(self, cache: RenderedCache) -> None:
        self._cache = cache
        self._mailboxes: OrderedDict[int, MailboxItems] = OrderedDict()  # those that have entries
        self.octets = 0

    def get(self, mailbox: int, uids: Iterable[int], tier: ItemTier) -> dict[int, RenderedItems]:
        """Return those that are here up to a tier, by their UIDs; they stay for longer than others."""
        entries = self._mailboxes.get(mailbox, _NOTHING).entries
        found: dict[int, RenderedItems] = {}
        for uid in uids:
            entry = entries.get(uid)
            if entry is not None and entry.tier >= tier:
                found[uid] = entry
                entries.move_to_end(uid)
        if found:
            self._mailboxes.move_to_end(mailbox)
            self._cache.note_use(self)
        return found

    def lacking(self, mailbox: int, uids: Iterable[int], tier: ItemTier) -> list[int]:
        """Return those of the UIDs whose items are not here up to a tier."""
        known = self._mailboxes.get(mailbox, _NOTHING)
        return [uid for uid in uids if known.lacks(uid, tier)]

    def put(self, mailbox: int, items: Mapping[int, RenderedItems | None]) -> None:
        """Keep items that were rendered; None is no item, and is passed over.

        A very large one is not kept: a message of very many parts must not drive out all others.
        """
        known = self._mailboxes.pop(mailbox, None) or MailboxItems()
        before, most = known.octets, self._cache.max_entry_octets
        for uid, entry in items.items():
            if entry is not None and known.lacks(uid, entry.tier):
                size = _size(entry)
                if size <= most:
                    known.put(uid, entry, size)
        if known.entries:
            self._mailboxes[mailbox] = known
        self._note_change(known.octets - before)

    def forget(self, mailbox: int) -> None:
        """Forget the items of a mailbox: it is in memory no more."""
        self._note_change(-self._mailboxes.pop(mailbox, _NOTHING).octets)

    def forget_messages(self, mailbox: int, uids: Iterable[int]) -> None:
        """Forget the items of messages that are gone."""
        known = self._mailboxes.get(mailbox)
        if known is None:
            return
        before = known.octets
        known.drop(uids)
        if not known.entries:
            del self._mailboxes[mailbox]
        self._note_change(known.octets - before)

    def _note_change(self, octets: int) -> None:
        self.octets += octets
        if octets:
            self._cache.note_change(self, octets)

    def drop_oldest(self) -> int:
        """Drop the oldest entry of the mailbox that was asked for the longest ago; return its octets."""
        mailbox, known = next(iter(self._mailboxes.items()))
        size = known.drop_oldest()
        if not known.entries:
            del self._mailboxes[mailbox]
        self.octets -= size
        return size


def _size(entry: RenderedItems) -> int:
    envelope, body, structure, _, fields, preview, outline, _ = entry
    octets = len(envelope) + len(body) + len(structure) + len(preview) + len(outline)
    return _ENTRY_OCTETS + octets + len(fields or b"")
