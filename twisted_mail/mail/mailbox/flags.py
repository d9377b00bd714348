"""Flags: the marks of a message (RFC 3501 §2.3.2).

A set of flags is a frozenset of names. System flags are spelled as in ``SYSTEM``, keywords as they
were first seen; both are compared without case, so only ``normal`` makes sets. Sets are interned:
a mailbox of 100,000 messages holds a few dozen different ones.
"""

import re
from collections.abc import Iterable

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

_interned: dict[Flags, Flags] = {NONE: NONE}
_INTERNED_LIMIT = 65536  # sets; further ones are merely not shared


def normal(names: Iterable[str]) -> Flags:
    """Return the names as an interned set, system flags in their usual spelling."""
    return intern(frozenset(_BY_FOLDED.get(name.lower(), name) for name in names))


def intern(flags: Flags) -> Flags:
    """Return the one shared object equal to ``flags``."""
    known = _interned.get(flags)
    if known is not None:
        return known
    if len(_interned) < _INTERNED_LIMIT:
        _interned[flags] = flags
    return flags


def is_keyword(name: str) -> bool:
    """Return whether a name may be used as a keyword (RFC 3501 §9, flag-keyword)."""
    return len(name) <= MAX_KEYWORD and _KEYWORD.fullmatch(name) is not None


def keywords(flags: Flags) -> Flags:
    """Return the flags that are not system flags."""
    return flags.difference(SYSTEM)
