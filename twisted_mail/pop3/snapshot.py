"""The maildrop as it was at login: fixed numbers, sizes, and marks of deletion (RFC 1939 §4)."""

from array import array
from collections.abc import Callable, Iterator

from twisted_mail.interfaces import Mailbox
from twisted_mail.mail.outcome import Outcome, Refused
from twisted_mail.pop3.grammar import unique_id

BATCH = 4096  # rows of a listing rendered at a time: about 64 KiB

Row = int  # a message's number less one


class MaildropSnapshot:
    """Columns of UIDs and sizes; what is delivered or expunged later changes nothing here."""

    __slots__ = ("_deleted", "_octets", "_sizes", "_uids", "_uidvalidity")

    def __init__(self, mailbox: Mailbox) -> None:
        self._uids: array[int] = mailbox.columns.uids[:]
        self._sizes: array[int] = mailbox.columns.sizes[:]
        self._uidvalidity = mailbox.uidvalidity
        self._octets = sum(self._sizes)
        self._deleted: set[Row] = set()

    @property
    def count(self) -> int:
        """Return how many messages are not marked as deleted."""
        return len(self._uids) - len(self._deleted)

    @property
    def octets(self) -> int:
        """Return the size of these messages together."""
        return self._octets

    @property
    def summary(self) -> str:
        """Return how much there is, in words."""
        return f"{self.count} {'message' if self.count == 1 else 'messages'} ({self.octets} octets)"

    def row(self, number: int) -> Row:
        """Return the row of a message number. Raises Refused where there is none, or no longer."""
        if not 0 < number <= len(self._uids):
            raise _no_such(f"No such message, only {len(self._uids)} in the maildrop")
        if number - 1 in self._deleted:
            raise _no_such(f"Message {number} is deleted")
        return number - 1

    def uid(self, row: Row) -> int:
        """Return a message's UID."""
        return self._uids[row]

    def size(self, row: Row) -> int:
        """Return a message's octets as sent, dots not doubled."""
        return self._sizes[row]

    def unique_id(self, row: Row) -> bytes:
        """Return the unique id of a message, for UIDL."""
        return unique_id(self._uids[row], self._uidvalidity)

    def delete(self, row: Row) -> None:
        """Mark a message as deleted."""
        self._deleted.add(row)
        self._octets -= self._sizes[row]

    def reset(self) -> None:
        """Unmark all messages."""
        self._deleted.clear()
        self._octets = sum(self._sizes)

    def deleted_uids(self) -> list[int]:
        """Return the ascending UIDs of the messages marked as deleted."""
        return [self._uids[row] for row in sorted(self._deleted)]

    def listing(self, render: Callable[[Row], bytes]) -> Iterator[bytes]:
        """Yield a line for each message not deleted, some thousand lines at a time."""
        for start in range(0, len(self._uids), BATCH):
            rows = range(start, min(start + BATCH, len(self._uids)))
            lines = [render(row) for row in rows if row not in self._deleted]
            yield b"\r\n".join([*lines, b""])


def _no_such(text: str) -> Refused:
    return Refused(Outcome(550, "5.1.1", text), "NONEXISTENT")
