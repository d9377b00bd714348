r"""The view: what one client has been sent of the mailbox it selected.

The store goes on while a client works; sequence numbers mean what the client knows, so they are kept
here and move only when the client is notified (RFC 3501 §7.4.1, §5.5). A view is three columns: the UIDs,
the flags as the client believes them, and the ranges that are \Recent for this session.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from twisted_mail.imap.pending import PendingChanges
from twisted_mail.imap.recent import RecentRanges
from twisted_mail.imap.response_syntax import flag_list, shown_flags, with_recent
from twisted_mail.interfaces import Mailbox
from twisted_mail.mail.mailbox.change import (
    Change,
    EntriesAdded,
    MailboxDeleted,
)
from twisted_mail.mail.mailbox.dropped_rows import drop_rows
from twisted_mail.mail.mailbox.flags import NONE, SYSTEM, Flags
from twisted_mail.mail.mailbox.numbers import NumberSet, Range
from twisted_mail.mail.outcome import ProtocolError

_FLAGS_PER_UPDATE = 500  # messages whose flags are sent at once
_SOUGHT_SINGLY = 64  # messages that are quicker looked for one by one


class View:
    r"""What one client knows; follows the mailbox from the moment it is made.

    ``recent_from`` is the lowest UID that is \Recent for this session; a session that ``claims`` takes
    \Recent away from those that come later (RFC 3501 §2.3.2). While it ``has_updates``, ``updates`` may
    have something to send.
    """

    __slots__ = (
        "_claims",
        "_client_flags",
        "_is_snapshot",
        "_mailbox",
        "_recent",
        "_sent_keywords",
        "_sent_recent",
        "_unwatch",
        "has_updates",
        "is_removed",
        "pending",
        "uids",
    )

    def __init__(self, mailbox: Mailbox, recent_from: int, claims: bool) -> None:
        columns = mailbox.columns
        self._mailbox = mailbox
        self._claims = claims
        self.uids, self._client_flags = columns.snapshot()
        self._is_snapshot = True
        self.pending = PendingChanges()
        self._recent = RecentRanges()
        self._recent.add(recent_from, columns.uidnext - 1)
        self._sent_recent = self.recent_count
        self._sent_keywords = len(mailbox.keywords)
        self.has_updates = False
        self.is_removed = False  # the mailbox was deleted under the client
        self._unwatch = mailbox.watch(self._note)

    def close(self) -> None:
        """Follow the mailbox no longer."""
        self._unwatch()

    # ------------------------------------------------------------ what the client knows

    def __len__(self) -> int:
        return len(self.uids)

    def number(self, uid: int) -> int | None:
        """Return the sequence number of a UID, or None where the client knows none."""
        row = bisect_left(self.uids, uid)
        return row + 1 if row < len(self.uids) and self.uids[row] == uid else None

    def numbers(self, uids: Sequence[int]) -> Sequence[int]:
        """Return the sequence numbers of ascending UIDs that the client knows."""
        if not uids:
            return ()
        first = bisect_left(self.uids, uids[0]) + 1
        last = first + len(uids) - 1
        if last <= len(self.uids) and self.uids[last - 1] == uids[-1]:
            return range(first, last + 1)  # the UIDs between are all there are between
        return [bisect_left(self.uids, uid) + 1 for uid in uids]

    def select(self, numbers: NumberSet, is_uid: bool) -> list[int]:
        """Return the UIDs that a set means, ascending.

        UIDs that are unknown are passed over. Raises ProtocolError for sequence numbers out of range
        (RFC 3501 §9, seq-number).
        """
        return self._by_uid(numbers) if is_uid else self._by_number(numbers)

    def _by_uid(self, numbers: NumberSet) -> list[int]:
        uids = self.uids
        highest = uids[-1] if uids else 0
        found: list[int] = []
        if highest:
            at = 0  # the ranges ascend
            for first, last in numbers.ranges if numbers.is_single else numbers.resolved(highest):
                start = bisect_left(uids, first, at)
                at = bisect_right(uids, last, start)
                found += uids[start:at]
        return found

    def _by_number(self, numbers: NumberSet) -> list[int]:
        count = len(self.uids)
        ranges: Sequence[Range] = numbers.ranges
        if not numbers.is_single:
            ranges = numbers.resolved(count) if count else ()
        if not ranges or ranges[-1][1] > count:
            raise ProtocolError("There is no message with that number")
        found: list[int] = []
        for first, last in ranges:
            found += self.uids[first - 1 : last]
        return found

    def is_recent(self, uid: int) -> bool:
        r"""Return whether a message is \Recent for this session."""
        return uid in self._recent

    def with_recent(self, uids: Sequence[int], flags: Sequence[Flags]) -> Sequence[Flags]:
        r"""Return the flags of ascending UIDs, with \Recent where this session has it."""
        recent = self._recent
        if not recent.ranges or not recent.count(uids):
            return flags
        return [
            with_recent(known) if uid in recent else known
            for uid, known in zip(uids, flags, strict=True)
        ]

    @property
    def recent_count(self) -> int:
        r"""Return how many messages that the client knows are \Recent for this session."""
        return self._recent.count(self.uids)

    def flags(self, uid: int) -> bytes:
        r"""Return the flags a message has now, with \Recent, as FETCH shows them."""
        return _shown(self.flags_now(uid), self.is_recent(uid))

    def flags_now(self, uid: int) -> Flags:
        """Return the flags that a message has, or those the client knows if it is gone."""
        row = self._mailbox.columns.row(uid)
        if row is not None:
            return self._mailbox.columns.flags[row]
        number = self.number(uid)
        return NONE if number is None else self._client_flags[number - 1]

    def _leave_snapshot(self) -> None:
        """Have UIDs and flags of this client's own, before they are altered."""
        if self._is_snapshot:
            self._is_snapshot = False
            self.uids, self._client_flags = self.uids[:], self._client_flags[:]

    # ------------------------------------------------------------ what commands sent

    def note_flags_sent(self, uids: Iterable[int]) -> None:
        """Record that the client has just been sent the flags of ascending UIDs as they are now."""
        pending = self.pending.flags
        sent = [uid for uid in uids if uid in pending]
        if not sent:
            return
        self._leave_snapshot()
        for uid in sent:
            del pending[uid]
        numbers, columns = self.numbers(sent), self._mailbox.columns
        rows = columns.rows_between(sent[0], sent[-1])
        if isinstance(numbers, range) and len(rows) == len(sent):  # all there are between
            together = slice(numbers.start - 1, numbers.stop - 1)
            self._client_flags[together] = columns.flags[rows.start : rows.stop]
            return
        for uid, number in zip(sent, numbers, strict=True):
            self._client_flags[number - 1] = self.flags_now(uid)

    def note_silent_store(self, uids: Iterable[int], how: str, flags: Flags) -> None:
        """Record that the client takes its own silent STORE for done (``how`` as in ``mark``).

        What it then believes wrongly, since another session altered flags too, is still sent.
        """
        pending = self.pending.flags
        altered = [uid for uid in uids if uid in pending]
        self._leave_snapshot()
        for uid, number in zip(altered, self.numbers(altered), strict=True):
            believed = _altered(self._client_flags[number - 1], how, flags)
            self._client_flags[number - 1] = believed
            if believed == self.flags_now(uid):
                del pending[uid]

    # ------------------------------------------------------------ what the client is sent

    @property
    def update_rounds(self) -> int:
        """Return how often ``updates`` must be asked for all that is pending now."""
        return 1 + len(self.pending.flags) // _FLAGS_PER_UPDATE

    def updates(self, may_expunge: bool) -> list[bytes]:
        """Return the untagged answers that bring the client up to date, without ``*`` and CRLF.

        EXPUNGE comes first and EXISTS before what mentions new numbers. The flags of a limited number
        of messages are sent at once, so that others have their turn.
        """
        lines = list(self._expunged()) if may_expunge and self.pending.expunges else []
        lines += self._grown()
        lines += self.new_keywords()
        lines += self._altered_flags()
        self.has_updates = bool(self.pending)
        return lines

    def _expunged(self) -> Iterator[bytes]:
        """Send the highest number first, so that each is right whatever was sent before."""
        gone = self.pending.take_expunges()
        self._leave_snapshot()
        if len(gone) > _SOUGHT_SINGLY:
            rows = [row for row, uid in enumerate(self.uids) if uid in gone]
        else:
            numbers = map(self.number, sorted(gone))
            rows = [number - 1 for number in numbers if number is not None]
        drop_rows((self.uids, self._client_flags), rows)
        for row in reversed(rows):
            yield b"%d EXPUNGE" % (row + 1)

    def _grown(self) -> Iterator[bytes]:
        has_grown = bool(self.pending.arrivals)
        if has_grown:
            self._leave_snapshot()
            self.uids.extend(self.pending.arrivals)
            self._client_flags.extend(map(self.flags_now, self.pending.arrivals))
            del self.pending.arrivals[:]
            yield b"%d EXISTS" % len(self.uids)
        recent = self.recent_count
        if has_grown or recent != self._sent_recent:
            self._sent_recent = recent
            yield b"%d RECENT" % recent

    def new_keywords(self) -> Iterator[bytes]:
        """Yield the answers that bring new keywords, before a FETCH shows any (RFC 3501 §7.2.6)."""
        if len(self._mailbox.keywords) != self._sent_keywords:
            self._sent_keywords = len(self._mailbox.keywords)
            yield b"FLAGS " + self.known_flags()
            if self._claims:
                yield b"OK [PERMANENTFLAGS %b] Flags that can be stored" % self.permanent_flags()

    def _altered_flags(self) -> Iterator[bytes]:
        uids = list(islice(self.pending.flags, _FLAGS_PER_UPDATE))
        columns = self._mailbox.columns
        for uid in uids:
            del self.pending.flags[uid]
            number, row = self.number(uid), columns.row(uid)
            if number is None or row is None:
                continue
            flags = columns.flags[row]
            if self._client_flags[number - 1] != flags:
                self._leave_snapshot()
                self._client_flags[number - 1] = flags
                shown = _shown(flags, uid in self._recent)
                yield b"%d FETCH (UID %d FLAGS %b)" % (number, uid, shown)

    def known_flags(self) -> bytes:
        """Return the flags that are in use in the mailbox, as the FLAGS answer has them."""
        return flag_list((*SYSTEM, *self._mailbox.keywords))

    def permanent_flags(self) -> bytes:
        r"""Return the flags that a client may alter, with ``\*`` if it may make new ones."""
        new = ("\\*",) if self._mailbox.may_add_keywords else ()
        return flag_list((*SYSTEM, *self._mailbox.keywords, *new))

    # ------------------------------------------------------------ what happens in the mailbox

    def _note(self, change: Change) -> None:
        self.has_updates = True
        if isinstance(change, EntriesAdded):
            self.pending.note_added(change.uids)
            first = self._mailbox.claim_recent() if self._claims else min(change.uids)
            self._recent.add(first, self._mailbox.columns.uidnext - 1)
        elif isinstance(change, MailboxDeleted):
            self.is_removed = True
        else:
            self.pending.note(change)


def _altered(before: Flags, how: str, flags: Flags) -> Flags:
    if how == "add":
        return before | flags
    return before - flags if how == "remove" else flags


def _shown(flags: Flags, is_recent: bool) -> bytes:
    return shown_flags(with_recent(flags) if is_recent else flags)
