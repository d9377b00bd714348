"""Names of mailboxes: Unicode, with ``/`` between levels, and ``INBOX`` in any case.

What every store agrees on: which names there can be, what a rename does to them, and the list that
clients see.
"""

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping

from twisted_mail.mail.mailbox.entry import MailboxInfo
from twisted_mail.mail.outcome import Refused

INBOX = "INBOX"
MAX_LEVEL = 255  # octets of UTF-8 in one level
MAX_NAME = 1000  # octets of UTF-8 in all
MAX_LEVELS = 20

# The mailboxes of a new account besides INBOX, with their special uses (RFC 6154 §2).
SPECIAL = {
    "Drafts": "\\Drafts",
    "Sent": "\\Sent",
    "Junk": "\\Junk",
    "Trash": "\\Trash",
    "Archive": "\\Archive",
}
_USES = {use.lower(): use for use in SPECIAL.values()}


def canonical(name: str) -> str:
    """Return the name with a first level of INBOX in capitals (RFC 3501 §5.1)."""
    first, slash, rest = name.partition("/")
    return INBOX + slash + rest if first.lower() == "inbox" else name


def new(name: str) -> str:
    """Return the canonical form of a name that a mailbox may have. Raises Refused: CANNOT.

    Names are not prettified: dots, quotes and wildcards are letters like others, and a store has to write
    them so that they stay letters.
    """
    levels = name.split("/")
    if not all(levels):
        raise Refused("A mailbox name has no empty level.", "CANNOT")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise Refused("A mailbox name has no control characters.", "CANNOT")
    if len(levels) > MAX_LEVELS:
        raise Refused(f"A mailbox name has at most {MAX_LEVELS} levels.", "CANNOT")
    if len(name.encode()) > MAX_NAME or any(len(part.encode()) > MAX_LEVEL for part in levels):
        raise Refused("The mailbox name is too long.", "CANNOT")
    return canonical(name)


def printable(text: str) -> str:
    """Return a text with ``_`` for what cannot be shown."""
    return "".join([letter if letter.isprintable() else "_" for letter in text])


def of_levels(levels: Iterable[str]) -> str:
    """Return a name for the levels that others gave a mailbox, with ``_`` for what ours cannot have."""
    return "/".join(printable(level).replace("/", "_") or "_" for level in levels)


def use(name: str) -> str:
    """Return a special use in its usual spelling. Raises Refused: USEATTR (RFC 6154 §3)."""
    known = _USES.get(name.lower(), "")
    if name and not known:
        raise Refused("No mailbox can have this special use.", "USEATTR")
    return known


def above(name: str) -> list[str]:
    """Return the names of the levels above, the highest first."""
    return [name[:at] for at, letter in enumerate(name) if letter == "/"]


def below(name: str, names: Iterable[str]) -> Iterator[str]:
    """Yield those of the names that lie below ``name``, at any depth."""
    return (other for other in names if other.startswith(name + "/"))


def renamed(old: str, name: str, mailboxes: Collection[str]) -> list[tuple[str, str]]:
    """Return what a rename does: old and new name of each mailbox, in an order that is safe.

    ``old`` need not be a mailbox when it has children; ``name`` is as ``new`` returned it; ``INBOX``
    is left to the caller. Raises Refused: NONEXISTENT, ALREADYEXISTS, CANNOT, and then nothing is to
    be renamed.
    """
    moved = [*below(old, mailboxes), *([old] if old in mailboxes else [])]
    if not moved:
        raise Refused("There is no such mailbox.", "NONEXISTENT")
    if name == old or name in mailboxes:
        raise Refused("There is a mailbox of this name already.", "ALREADYEXISTS")
    if name.startswith(old + "/"):
        raise Refused("A mailbox cannot be put into itself.", "CANNOT")
    # The higher first: "a/b" becomes "a" before "a/b/b" becomes "a/b".
    moved.sort(key=lambda each: (each.count("/"), each))
    pairs = [(each, new(name + each[len(old) :])) for each in moved]
    if not {target for _, target in pairs}.isdisjoint({*mailboxes} - {*moved}):
        raise Refused("There is a mailbox of this name already.", "ALREADYEXISTS")
    return pairs


def list_mailboxes(uses: Mapping[str, str], subscribed: Collection[str]) -> list[MailboxInfo]:
    """Return what clients see: mailboxes (name to special use), levels above them, subscriptions."""
    names = {*uses, *subscribed, *(level for name in uses for level in above(name))}
    return [
        MailboxInfo(name, uses.get(name, ""), name in subscribed, name in uses)
        for name in sorted(names)
    ]
