"""Flags: the marks of a message (RFC 3501 §2.3.2).

A set of flags is a frozenset of names. System flags are spelled as in ``SYSTEM``, keywords as they
were first seen; both are compared without case, so only ``normal`` makes sets. Sets are interned:
a mailbox of 100,000 messages holds a few dozen different ones. Which there are clients choose, so those
that nobody uses are forgotten.
"""

import re
import sys
from collections.abc import Iterable

from twisted_mail.mail.bounded_cache import RecentCache
from twisted_mail.mail.outcome import Refused

ANSWERED, FLAGGED, DELETED, SEEN, DRAFT = (
    "\\Answered",
    "\\Flagged",
    "\\Deleted",
    "\\Seen",
    "\\Draft",
)
RECENT = "\\Recent"
SYSTEM = (ANSWERED, FLAGGED, DELETED, SEEN, DRAFT)

Flags = frozenset[str]
NONE: Flags = frozenset()

_BY_FOLDED = {flag.lower(): flag for flag in (*SYSTEM, RECENT)}
# A keyword is an IMAP atom (RFC 3501 §9: any CHAR except atom-specials).
_KEYWORD = re.compile(r"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+")
MAX_KEYWORD = 100  # octets

MAX_KEYWORDS = 100  # of one message
REMEMBERED = 512 * 1024  # octets of flags that are remembered in one form or another


def octets(flags: Flags) -> int:
    """Return about what a set of flags takes, with what is made of it."""
    return sys.getsizeof(flags) + 64 * len(flags)


_interned: RecentCache[Flags, Flags] = RecentCache(lambda flags: flags, REMEMBERED, octets)


def normal(names: Iterable[str]) -> Flags:
    """Return the names as an interned set, system flags in their usual spelling."""
    return intern(frozenset(_BY_FOLDED.get(name.lower(), name) for name in names))


def intern(flags: Flags) -> Flags:
    """Return the one shared object equal to ``flags``; of sets that are rare, there may be several."""
    return _interned(flags) if flags else NONE


def split(text: str) -> Flags:
    """Return flags that are written with spaces between them; equal names are one object."""
    return intern(frozenset(map(sys.intern, text.split())))


def is_keyword(name: str) -> bool:
    """Return whether a name may be used as a keyword (RFC 3501 §9, flag-keyword)."""
    return len(name) <= MAX_KEYWORD and _KEYWORD.fullmatch(name) is not None


def keywords(flags: Flags) -> Flags:
    """Return the flags that are not system flags."""
    return flags.difference(SYSTEM)


def check_number(flags: Flags) -> None:
    """Raise Refused, LIMIT, if these are more keywords than one message can have."""
    if len(flags) > MAX_KEYWORDS and len(keywords(flags)) > MAX_KEYWORDS:
        raise Refused(f"A message has at most {MAX_KEYWORDS} keywords.", "LIMIT")
