"""Entries: messages' places in one mailbox, kept as columns.

A mailbox of 100,000 messages is a few arrays, not 100,000 objects.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from twisted_mail.mail.mailbox.dropping import drop_rows
from twisted_mail.mail.mailbox.flags import SEEN, Flags
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError

_ALTERED_SINGLY = 64  # up to that many messages are cheaper one by one than the columns as a whole
UNKNOWN_DATE = -(1 << 62)  # the date of a message that is not measured yet


class Entry(NamedTuple):
    """One message's place in one mailbox.

    ``date`` is the internal date in seconds since 1970 (RFC 3501 §2.3.3); ``size`` is in octets as
    sent on the wire, with CRLF line ends (RFC 3501 §2.3.4); ``modseq`` is RFC 7162 §3.1. Until
    ``Mailbox.measure``, the date may be ``UNKNOWN_DATE`` and the size 0.
    """

    uid: int
    flags: Flags
    modseq: int
    date: int
    size: int


class ItemTier(IntEnum):
    """How far a message is rendered: each tier has what those before it have.

    ``HEADER`` is made of the header alone: the envelope, the header's size and the kept fields.
    ``STRUCTURE`` adds what takes a look at the whole message: body, bodystructure and outline.
    ``PREVIEW`` adds the preview, for which text is decoded; only items of plugins ask for it.
    """

    HEADER = 1
    STRUCTURE = 2
    PREVIEW = 3


class RenderedItems(NamedTuple):
    """What clients ask for of a message, rendered as IMAP writes it.

    ``envelope``, ``body`` and ``bodystructure`` are the parenthesised lists of RFC 3501 §7.4.2;
    ``header_size`` is the octets of the header with the empty line that ends it. ``fields`` are the
    header fields that clients ask for most, unaltered, or None where they are too long to be kept;
    ``preview`` is the text of RFC 8970, in UTF-8; ``outline`` has the positions of the parts (see
    ``imap.fetch.outline``). What is beyond ``tier`` is empty.
    """

    envelope: bytes
    body: bytes
    bodystructure: bytes
    header_size: int
    fields: bytes | None = None
    preview: bytes = b""
    outline: bytes = b""
    tier: ItemTier = ItemTier.PREVIEW


class MessageIdentity(NamedTuple):
    """The id of a message in the whole account, and when it came into its mailbox.

    ``email`` is the EMAILID of RFC 8474 §5.1: the same for all copies in an account. ``saved`` is the
    save date in seconds since 1970 (RFC 8514 §3).
    """

    email: str
    saved: int


class MessageRange(NamedTuple):
    """A range of one message's octets; ``stop`` None means to the end."""

    uid: int
    start: int = 0
    stop: int | None = None


class Contains(NamedTuple):
    """A substring that a message must hold, compared without case (RFC 3501 §6.4.4).

    ``where`` is ``"text"`` (header and body), ``"body"``, or ``"header"`` with the field's ``name``.
    An empty ``needle`` in a header means that the field exists.
    """

    where: str
    needle: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message on its way into a mailbox by APPEND, with its flags and date."""

    message: Message
    flags: Flags = frozenset()
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class CopyResult:
    """The target's UIDVALIDITY, and the UIDs of messages here and there, pairwise.

    ``error`` is why a move ended before all were moved.
    """

    uidvalidity: int
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    error: MailError | None = None


@dataclass(frozen=True, slots=True)
class MailboxStatus:
    """The counts of one mailbox (RFC 3501 §6.3.10, RFC 7162 §3.1.2, RFC 8438 §2)."""

    messages: int
    recent: int
    unseen: int
    deleted: int
    size: int
    uidnext: int
    uidvalidity: int
    highest_modseq: int
    id: str = ""  # the MAILBOXID of RFC 8474 §4


@dataclass(frozen=True, slots=True)
class MailboxInfo:
    r"""A mailbox as LIST shows it.

    ``name`` is decoded, with ``/`` between levels; ``use`` is the special use (RFC 6154 §2) such as
    ``\Sent``, or empty; a name that only has children is not ``selectable``.
    """

    name: str
    use: str = ""
    is_subscribed: bool = False
    is_selectable: bool = True


@dataclass(slots=True)
class EntryColumns:
    """The entries of one mailbox, ascending by UID, a column for each property.

    Shared by every session that has the mailbox open: only its owner, the store, alters it, and only
    between two awaits of the reactor thread.
    """

    uids: "array[int]" = field(default_factory=lambda: array("Q"))
    flags: list[Flags] = field(default_factory=list)
    modseqs: "array[int]" = field(default_factory=lambda: array("Q"))
    dates: "array[int]" = field(default_factory=lambda: array("q"))
    sizes: "array[int]" = field(default_factory=lambda: array("Q"))
    uidnext: int = 1
    highest_modseq: int = 1
    _unseen: tuple[int, int, int | None] = field(default=(0, 0, None), init=False, compare=False)
    _has_snapshots: bool = field(default=False, init=False, compare=False)

    def __len__(self) -> int:
        return len(self.uids)

    def __getitem__(self, row: int) -> Entry:
        return Entry(
            self.uids[row], self.flags[row], self.modseqs[row], self.dates[row], self.sizes[row]
        )

    def __iter__(self) -> Iterator[Entry]:
        return map(Entry, self.uids, self.flags, self.modseqs, self.dates, self.sizes)

    def snapshot(self) -> "tuple[array[int], list[Flags]]":
        """Return the UIDs and flags there are now, not to be altered. They are copied when these are."""
        self._has_snapshots = True
        return self.uids, self.flags

    def _leave_snapshots(self) -> None:
        """Leave UIDs and flags to those who have a snapshot of them, before they are altered."""
        if self._has_snapshots:
            self._has_snapshots = False
            self.uids, self.flags = self.uids[:], self.flags[:]

    def row(self, uid: int) -> int | None:
        """Return the row of a UID, or None where there is no such message now."""
        at = bisect_left(self.uids, uid)
        return at if at < len(self.uids) and self.uids[at] == uid else None

    def first_unseen(self) -> int | None:
        r"""Return the first row without ``\Seen``, or None.

        It is looked for once, until the number of messages or the highest mod-sequence is another one.
        """
        messages, highest = len(self.uids), self.highest_modseq
        if self._unseen[:2] != (messages, highest):
            rows = (row for row, flags in enumerate(self.flags) if SEEN not in flags)
            self._unseen = messages, highest, next(rows, None)
        return self._unseen[2]

    def rows_between(self, first: int, last: int) -> range:
        """Return the rows of the UIDs from ``first`` to ``last``, both included."""
        return range(bisect_left(self.uids, first), bisect_right(self.uids, last))

    def present(self, uids: Sequence[int]) -> Sequence[int]:
        """Return those of ascending UIDs whose messages are there, ascending: mostly the same object."""
        if isinstance(uids, array) and uids == self.uids:
            return uids
        if len(uids) < len(self.uids) // _ALTERED_SINGLY:
            return [uid for uid in uids if self.row(uid) is not None]
        return array("Q", sorted(set(self.uids).intersection(uids)))

    def add(self, entries: "Iterable[Entry] | EntryColumns") -> None:
        """Append entries with ascending UIDs above all that were here before."""
        self._leave_snapshots()
        if isinstance(entries, EntryColumns):
            self._extend(entries)
            return
        for entry in entries:
            self.uids.append(entry.uid)
            self.flags.append(entry.flags)
            self.modseqs.append(entry.modseq)
            self.dates.append(entry.date)
            self.sizes.append(entry.size)
            self.uidnext = max(self.uidnext, entry.uid + 1)
            self.highest_modseq = max(self.highest_modseq, entry.modseq)

    def _extend(self, other: "EntryColumns") -> None:
        self.uids.extend(other.uids)
        self.flags.extend(other.flags)
        self.modseqs.extend(other.modseqs)
        self.dates.extend(other.dates)
        self.sizes.extend(other.sizes)
        self.uidnext = max(self.uidnext, other.uidnext)
        self.highest_modseq = max(self.highest_modseq, other.highest_modseq)

    def mark(self, marks: Sequence[tuple[int, Flags, int]]) -> None:
        """Set flags and mod-sequence by UID; UIDs that are gone are ignored."""
        self._leave_snapshots()
        if len(marks) > _ALTERED_SINGLY and self._mark_together(marks):
            return
        for uid, flags, modseq in marks:
            row = self.row(uid)
            if row is not None:
                self.flags[row] = flags
                self.modseqs[row] = modseq
                self.highest_modseq = max(self.highest_modseq, modseq)

    def _mark_together(self, marks: Sequence[tuple[int, Flags, int]]) -> bool:
        """Set flags and mod-sequence of messages that stand together; return whether they do."""
        uids, flags, modseqs = zip(*marks, strict=True)
        start = bisect_left(self.uids, uids[0])
        together = slice(start, start + len(uids))
        if self.uids[together] != array("Q", uids):
            return False
        self.flags[together] = flags
        self.modseqs[together] = array("Q", modseqs)
        self.highest_modseq = max(self.highest_modseq, *modseqs)
        return True

    def unmeasured(self, uids: Sequence[int]) -> list[int]:
        """Return those of the UIDs whose messages are here, with unknown date and size."""
        if len(uids) > 1:
            rows = self.rows_between(min(uids), max(uids))
            if UNKNOWN_DATE not in self.dates[rows.start : rows.stop]:
                return []
        dates = self.dates
        return [
            uid for uid in uids if (row := self.row(uid)) is not None and dates[row] == UNKNOWN_DATE
        ]

    def sizes_of(self, uids: Sequence[int]) -> Sequence[int]:
        """Return the sizes of ascending UIDs, 0 for those that are gone."""
        if len(uids) > 1:
            rows = self.rows_between(uids[0], uids[-1])
            if self.uids[rows.start : rows.stop].tolist() == uids:
                return self.sizes[rows.start : rows.stop]
        return [0 if row is None else self.sizes[row] for row in map(self.row, uids)]

    def measure(self, facts: Iterable[tuple[int, int, int]]) -> None:
        """Set date and size by UID; UIDs that are gone are ignored."""
        for uid, date, size in facts:
            row = self.row(uid)
            if row is not None:
                self.dates[row] = date
                self.sizes[row] = size

    def remove(self, uids: Sequence[int]) -> None:
        """Drop the rows of ascending UIDs; UIDs that are gone are ignored."""
        self._leave_snapshots()
        rows = [row for row in map(self.row, uids) if row is not None]
        drop_rows((self.uids, self.flags, self.modseqs, self.dates, self.sizes), rows)
