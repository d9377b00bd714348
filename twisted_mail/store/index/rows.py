"""What the index says of one message and of one mailbox, as values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from twisted_mail.mail.bounded_cache import RecentCache
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.flags import Flags

MODSEQ_STEP = 1 << 20  # more mod-sequences than a power cut can make SQLite forget


class Row(NamedTuple):
    """One message as the index knows it; ``stored`` is the size of its file.

    While the date is UNKNOWN, so are both sizes, which are 0 then.
    """

    uid: int
    base: bytes
    tail: bytes
    flags: Flags
    modseq: int
    date: int
    size: int
    stored: int

    @property
    def place(self) -> bytes:
        """Return the folder that the message's file lies in, ``new`` or ``cur``."""
        return b"new" if self.tail.startswith(b"n") else b"cur"


@dataclass(slots=True)
class MailboxRow:
    """One mailbox's row (see ``schema``)."""

    id: int
    folder: bytes
    uidvalidity: int
    uidnext: int = 1
    highest_modseq: int = 1
    first_recent: int = 0  # not known yet
    new_seen: int = 0
    cur_seen: int = 0
    list_seen: str = ""
    messages: int = 0
    octets: int = 0
    unmeasured: int = 0
    apart: int = 0

    def next_modseq(self) -> int:
        """Return the mod-sequence of one more alteration."""
        self.highest_modseq += 1
        return self.highest_modseq


def leap(modseq: int, now: float) -> int:
    """Return a mod-sequence above all that a power cut made an index forget, or that another gave out.

    An index that begins anew, in memory or on disk, gives out mod-sequences from the time on.
    """
    return max(modseq + MODSEQ_STEP, int(now * MODSEQ_STEP))


# ---------------------------------------------------------------- as SQLite has them

ROW = "uid, base, tail, flags, modseq, date, size, stored"  # what ``row`` takes
INSERT = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # the mailbox, then the same

flags_in: RecentCache[str, Flags] = RecentCache(  # flags that the index wrote
    flag.split, flag.REMEMBERED, lambda text: 10 * len(text) + 300
)
text_of: RecentCache[Flags, str] = RecentCache(  # as the index writes flags
    lambda flags: " ".join(sorted(flags)), flag.REMEMBERED, flag.octets
)


def row(found: Sequence[object]) -> Row:
    """Return what a SELECT found as a message."""
    uid, base, tail, text, *rest = found
    return Row(uid, base, tail, flags_in(text), *rest)  # type: ignore[arg-type]
