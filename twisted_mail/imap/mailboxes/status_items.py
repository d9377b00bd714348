"""The items of STATUS (RFC 3501 §6.3.10): what one is, those of the base, and how a list is read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.response_syntax import mailbox_name
from twisted_mail.imap.settings import Settings
from twisted_mail.mail.mailbox.entry import MailboxStatus
from twisted_mail.mail.outcome import ProtocolError


@dataclass(frozen=True, slots=True)
class StatusItem:
    """One thing that STATUS sends of a mailbox.

    ``value`` makes what follows the name, as it stands on the wire. ``needs_size`` where it wants the
    mailbox's size, which takes the store longer to find than the rest.
    """

    name: str
    value: Callable[[MailboxStatus, Settings], int | str]
    needs_size: bool = False


STATUS_ITEMS = (
    StatusItem("MESSAGES", lambda status, _: status.messages),
    StatusItem("RECENT", lambda status, _: status.recent),
    StatusItem("UIDNEXT", lambda status, _: status.uidnext),
    StatusItem("UIDVALIDITY", lambda status, _: status.uidvalidity),
    StatusItem("UNSEEN", lambda status, _: status.unseen),
)


def read_status_items(reader: Reader, known: Mapping[str, StatusItem]) -> list[StatusItem]:
    """Read the list of items, each once. Raises ProtocolError."""
    reader.take(b"(")
    found = [_item(reader, known)]
    while reader.accept(b" "):
        found.append(_item(reader, known))
    reader.take(b")")
    return list(dict.fromkeys(found))


def _item(reader: Reader, known: Mapping[str, StatusItem]) -> StatusItem:
    name = reader.word().upper()
    if name not in known:
        raise ProtocolError(f"Unknown item {name[:40]}")
    return known[name]


def any_needs_size(items: Sequence[StatusItem]) -> bool:
    """Return whether the store must find the size of the mailbox for these items."""
    return any(item.needs_size for item in items)


def status_line(
    name: str, status: MailboxStatus, items: Sequence[StatusItem], settings: Settings
) -> bytes:
    """Return the untagged STATUS answer."""
    counts = " ".join([f"{item.name} {item.value(status, settings)}" for item in items])
    return b"STATUS %b (%b)" % (mailbox_name(name), counts.encode("ascii"))
