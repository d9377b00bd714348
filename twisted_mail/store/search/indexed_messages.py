"""Which messages the full-text index knows, and whether they are still those that it knew.

A message is known by its mailbox (folder and UIDVALIDITY) and UID. UIDs are not given twice, but files
may be: what was restored from a backup is found out by comparing the base names of all messages once,
when a mailbox is first asked for and whenever another process wrote here.
"""

from array import array
from collections.abc import Collection, Iterable
from typing import NamedTuple

from twisted_mail.store.known_uids import KnownUids
from twisted_mail.store.search.textfile import TextDatabase

SPAN = 1 << 32  # a message's id is its mailbox's number times this, and its UID

# What is known of a message, as bits.
FIELDS = 1  # all its fields of ``fields``
TEXT = 2  # its text, or the beginning of it
WHOLE_TEXT = 4


class MailboxKey(NamedTuple):
    """A mailbox: its folder, and its UIDVALIDITY."""

    folder: bytes
    uidvalidity: int


class MessageKey(NamedTuple):
    """What distinguishes one message from any other that may ever have its UID."""

    uid: int
    base: bytes
    stored: int


class IndexedMessages:
    """The tables ``mailboxes`` and ``messages`` of one database.

    Methods are called in a transaction, but for ``differing``, ``trust`` and ``distrust``.
    """

    def __init__(self, file: TextDatabase, cache: KnownUids) -> None:
        self._file = file
        self._cache = cache
        self._trusted: set[MailboxKey] = set()
        self._data_version = 0
        self._epoch = 0
        self._state = object()  # another one after every change

    # ------------------------------------------------------------ whether messages are the same

    def begin(self, place: MailboxKey, places: Collection[MailboxKey]) -> int | None:
        """Begin to compare a mailbox; return what ``trust`` takes, or None if it is trusted already.

        ``places`` are all mailboxes of the account: one that is not there any more may have been renamed
        to this. A mailbox of which nothing is known is trusted at once.
        """
        self.notice()
        if place in self._trusted:
            return None
        if self.number(place) is None and not self._follow_rename(place, places):
            self._trusted.add(place)
            return None
        return self._epoch

    def notice(self) -> None:
        """Trust nothing any more if another process wrote."""
        found = self._file.connection.pragma("data_version")
        if found != self._data_version:
            self._data_version = int(str(found))
            self.distrust()

    def distrust(self) -> None:
        """Trust nothing any more."""
        self._trusted.clear()
        self._epoch += 1
        self.note_change()

    def trust(self, place: MailboxKey, epoch: int) -> None:
        """Believe from now on what is known of a mailbox, if it was compared undisturbed."""
        if epoch == self._epoch:
            self._trusted.add(place)

    def is_trusted(self, place: MailboxKey) -> bool:
        """Return whether what is known of a mailbox may be believed."""
        return place in self._trusted

    def _follow_rename(self, place: MailboxKey, places: Collection[MailboxKey]) -> bool:
        found = self._file.rows(
            "SELECT number, folder FROM mailboxes WHERE uidvalidity = ?", (place.uidvalidity,)
        )
        for number, folder in found:
            if MailboxKey(folder, place.uidvalidity) not in places:
                self._file.connection.execute(
                    "UPDATE mailboxes SET folder = ? WHERE number = ?", (place.folder, number)
                )
                return True
        return False

    def differing(
        self, place: MailboxKey, first: int, last: int, there: Iterable[MessageKey]
    ) -> list[int]:
        """Return the UIDs between two whose messages are not those that are there, ascending."""
        number = self.number(place)
        if number is None:
            return []
        known = self._file.rows(
            "SELECT id - ?1, base, stored FROM messages WHERE id BETWEEN ?1 + ?2 AND ?1 + ?3",
            (number * SPAN, first, last),
        )
        return sorted({identity[0] for identity in set(known) - set(there)})

    # ------------------------------------------------------------ what is known

    def number(self, place: MailboxKey) -> int | None:
        """Return the number of a mailbox; None where nothing is known of it."""
        found = self._file.rows(
            "SELECT number FROM mailboxes WHERE folder = ? AND uidvalidity = ?", place
        )
        return found[0][0] if found else None

    def made_number(self, place: MailboxKey) -> int:
        """Return the number of a mailbox, which may be a new one."""
        number = self.number(place)
        if number is None:
            self._file.connection.execute(
                "INSERT INTO mailboxes (folder, uidvalidity) VALUES (?, ?)", place
            )
            number = self._file.connection.last_insert_rowid()
        return number

    def uids(self, number: int, known: int) -> "array[int]":
        """Return the UIDs in a mailbox of whose messages all that is known, ascending; not to alter."""
        key = self._state, number, known
        found = self._cache.get(key)
        if found is None:
            query = "SELECT id - ?1 FROM messages WHERE id BETWEEN ?1 AND ?2 AND known & ?3 = ?3"
            first = number * SPAN
            rows = self._file.connection.execute(query, (first, first + SPAN - 1, known))
            found = array("Q", [uid for (uid,) in rows])
            self._cache.put(key, found)
        return found

    def note_change(self) -> None:
        """Note that messages were added or forgotten."""
        self._state = object()

    def mismatches(self, place: MailboxKey, uids: Iterable[int]) -> tuple[list[int], list[int]]:
        """Return which of these UIDs have no text here, and which are here and not these; ascending."""
        wanted = frozenset(uids)
        number = self.number(place)
        if number is None:
            return sorted(wanted), []
        return (
            sorted(wanted.difference(self.uids(number, TEXT))),
            sorted(set(self.uids(number, 0)) - wanted),
        )

    def known_of(self, messages: Iterable[int]) -> dict[int, tuple[bytes, int, int]]:
        """Return base name, stored size and what is known, of those messages that are here."""
        query = "SELECT base, stored, known FROM messages WHERE id = ?"
        found = {}
        for message in messages:
            row = self._file.connection.execute(query, (message,)).fetchone()
            if row is not None:
                found[message] = row
        return found
