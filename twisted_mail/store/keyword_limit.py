"""How many keywords one message has at most, looked at before anything is altered."""

from collections.abc import Iterable, Sequence

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.entry import NewMessage
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import Flags


def check_drafts(drafts: Iterable[NewMessage]) -> None:
    """Raise Refused, LIMIT, if a message has too many keywords."""
    for draft in drafts:
        flag.check_number(draft.flags)


def check_marks(columns: EntryColumns, uids: Sequence[int], how: str, flags: Flags) -> None:
    """Raise Refused, LIMIT, if a message would have too many keywords then."""
    if how != "remove" and flag.keywords(flags):
        flag.check_number(flags)
        if how == "add" and _most(columns.flags) + len(flags) > flag.MAX_KEYWORDS:
            rows = [row for row in map(columns.row, uids) if row is not None]
            for known in {columns.flags[row] for row in rows}:
                flag.check_number(_with(known, flags))


def _most(sets: Sequence[Flags]) -> int:
    """Return how many flags the message with most of them has."""
    return max(map(len, sets), default=0)


def _with(known: Flags, added: Flags) -> Flags:
    """Return flags with others, which may be spelled otherwise."""
    folded = {name.lower() for name in known}
    return known.union([name for name in added if name.lower() not in folded])
