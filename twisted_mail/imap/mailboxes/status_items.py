"""The items of STATUS (RFC 3501 §6.3.10, RFC 8438 §2, RFC 7889 §3.1, RFC 8474 §4.3)."""

from collections.abc import Callable, Sequence

from twisted_mail.imap import objectid
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.objectid import ObjectIdKind
from twisted_mail.imap.writing import mailbox_name
from twisted_mail.mail.mailbox.entry import MailboxStatus
from twisted_mail.mail.outcome import ProtocolError

_ITEMS: dict[str, Callable[[MailboxStatus, int], int | str]] = {
    "MESSAGES": lambda status, _: status.messages,
    "RECENT": lambda status, _: status.recent,
    "UIDNEXT": lambda status, _: status.uidnext,
    "UIDVALIDITY": lambda status, _: status.uidvalidity,
    "UNSEEN": lambda status, _: status.unseen,
    "SIZE": lambda status, _: status.size,
    "APPENDLIMIT": lambda _, append_limit: append_limit,
    "MAILBOXID": lambda status, _: objectid.formatted(ObjectIdKind.MAILBOX, status.id).decode(
        "ascii"
    ),
}


def read_items(reader: Reader) -> list[str]:
    """Read the list of items, each once."""
    reader.take(b"(")
    found = [_item(reader)]
    while reader.accept(b" "):
        found.append(_item(reader))
    reader.take(b")")
    return list(dict.fromkeys(found))


def _item(reader: Reader) -> str:
    name = reader.word().upper()
    if name not in _ITEMS:
        raise ProtocolError(f"Unknown item {name[:40]}")
    return name


def status_line(name: str, status: MailboxStatus, items: Sequence[str], append_limit: int) -> bytes:
    """Return the untagged STATUS answer; ``append_limit`` is the size of the largest message."""
    counts = " ".join(f"{item} {_ITEMS[item](status, append_limit)}" for item in items)
    return b"STATUS %b (%b)" % (mailbox_name(name), counts.encode("ascii"))
