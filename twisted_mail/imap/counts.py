"""The items of STATUS (RFC 3501 §6.3.10, RFC 8438 §2)."""

from collections.abc import Callable, Sequence

from twisted_mail.imap.grammar import Reader, mailbox_name
from twisted_mail.mail.entry import Status
from twisted_mail.mail.outcome import ProtocolError

_ITEMS: dict[str, Callable[[Status], int]] = {
    "MESSAGES": lambda status: status.messages,
    "RECENT": lambda status: status.recent,
    "UIDNEXT": lambda status: status.uidnext,
    "UIDVALIDITY": lambda status: status.uidvalidity,
    "UNSEEN": lambda status: status.unseen,
    "SIZE": lambda status: status.size,
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


def status_line(name: str, status: Status, items: Sequence[str]) -> bytes:
    """Return the untagged STATUS answer."""
    counts = " ".join(f"{item} {_ITEMS[item](status)}" for item in items)
    return b"STATUS %b (%b)" % (mailbox_name(name), counts.encode("ascii"))
