"""Which mailbox is meant by a detail: ``lists`` for mail to ``alice+lists@example.org`` (RFC 5233).

Strangers choose the detail. So it only finds mailboxes that are there, and none whose mail the owner
takes for something else: not what was sent or drafted by himself, is thrown away, or was filed as junk.
"""

from collections.abc import Mapping

from twisted_mail.mail.address import canonical_text
from twisted_mail.store.format import mailbox_names

# What programs call mailboxes that have a special use, whether or not it was ever set: ours, and those
# of Outlook, Apple Mail, Thunderbird and Gmail.
_RESERVED = frozenset(
    (
        *map(canonical_text, mailbox_names.SPECIAL),
        *("sent items", "sent messages", "sent mail", "outbox", "templates"),
        *("deleted items", "deleted messages", "bin"),
        *("spam", "junk e-mail", "junk email", "bulk mail"),
    )
)


def detail_mailbox(detail: str, uses: Mapping[str, str]) -> str:
    """Return the mailbox that a detail means, or an empty text: INBOX.

    ``uses`` has the special uses by the names of all mailboxes, empty for none. The detail is a whole
    name, with ``/`` between levels. If no mailbox is called exactly so, one that differs in letter case
    or composition only is meant, the first by name.
    """
    name = mailbox_names.canonical(detail)
    if name not in uses:
        wanted = canonical_text(name)
        same = (each for each in uses if canonical_text(each) == wanted)
        name = min(same, default=mailbox_names.INBOX)
    return "" if _is_reserved(name, uses) else name


def _is_reserved(name: str, uses: Mapping[str, str]) -> bool:
    """Return whether strangers choose neither a mailbox nor what is above it."""
    if name == mailbox_names.INBOX:
        return True
    top = name.removeprefix(f"{mailbox_names.INBOX}/").partition("/")[0]
    levels = (*mailbox_names.above(name), name)
    return canonical_text(top) in _RESERVED or any(uses.get(level) for level in levels)
