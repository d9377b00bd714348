"""Which messages the full-text index knows, and whether they are still those that it knew.

A message is known by its mailbox (folder and UIDVALIDITY) and UID. UIDs are not given twice, but files
may be: what was restored from a backup is found out by comparing the base names of all messages once,
when a mailbox is first asked for. Who adds messages notes which, so that other processes then compare
those alone.
"""

from array import array
from collections.abc import Collection, Iterable
from typing import NamedTuple

from twisted_mail.mail.mailbox.numbers import MAX_NUMBER
from twisted_mail.store.known_uids import KnownUids
from twisted_mail.store.search.text_database import TextDatabase

SPAN = 1 << 32  # a message's id is its mailbox's number times this, and its UID
KEPT_ADDITIONS = 1000  # who has not seen older ones compares the whole mailbox

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


class DoubtfulMessages(NamedTuple):
    """The first and the last UID of messages to compare; ``trust`` takes this once that is done."""

    first: int
    last: int
    epoch: int
    addition: int  # the last one before


class IndexedMessages:
    """The tables ``mailboxes``, ``messages`` and ``additions`` of one database.

    Methods are called in a transaction, but for ``differing``, ``trust`` and ``distrust``.
    """

    def __init__(self, file: TextDatabase, cache: KnownUids) -> None:
        self._file = file
        self._cache = cache
        # Of mailboxes that were compared: the last addition before which they were.
        self._compared: dict[MailboxKey, int] = {}
        self._data_version = 0
        self._epoch = 0
        self._state = object()  # another one after every change

    # ------------------------------------------------------------ whether messages are the same

    def begin(self, place: MailboxKey, places: Collection[MailboxKey]) -> DoubtfulMessages | None:
        """Begin to compare a mailbox; return which messages are doubtful, None if none is.

        ``places`` are all mailboxes of the account: one that is not there any more may have been renamed
        to this. A mailbox of which nothing is known is trusted at once.
        """
        self.notice()
        if self.number(place) is None and not self._follow_rename(place, places):
            self._compared[place] = self._additions()[1]
            return None
        bounds = self._doubtful(place)
        return bounds and DoubtfulMessages(*bounds, self._epoch, self._additions()[1])

    def notice(self) -> None:
        """Notice whether another process wrote."""
        found = self._file.connection.pragma("data_version")
        if found != self._data_version:
            self._data_version = int(str(found))
            self.note_change()

    def distrust(self) -> None:
        """Trust nothing any more."""
        self._compared.clear()
        self._epoch += 1
        self.note_change()

    def trust(self, place: MailboxKey, compared: DoubtfulMessages) -> None:
        """Believe from now on what was known of a mailbox before it was compared."""
        if compared.epoch == self._epoch:
            self._compared[place] = compared.addition

    def is_trusted(self, place: MailboxKey) -> bool:
        """Return whether what is known of a mailbox may be believed."""
        if self._doubtful(place) is not None:
            return False
        self._compared[place] = self._additions()[1]
        return True

    def _doubtful(self, place: MailboxKey) -> tuple[int, int] | None:
        """Return the first and the last UID of what was added since a mailbox was compared."""
        seen, (oldest, last) = self._compared.get(place), self._additions()
        if seen == last:
            return None
        if seen is None or oldest > seen + 1:
            return 1, MAX_NUMBER
        first = (self.number(place) or 0) * SPAN
        [(low, high)] = self._file.rows(
            "SELECT min(first), max(last) FROM additions WHERE number > ? AND first BETWEEN ? AND ?",
            (seen, first, first + SPAN - 1),
        )
        return None if low is None else (low - first, high - first)

    def _additions(self) -> tuple[int, int]:
        """Return the numbers of the oldest addition that is noted, and of the last one; 0: none is."""
        [(oldest, last)] = self._file.rows(
            "SELECT (SELECT min(number) FROM additions), (SELECT max(number) FROM additions)"
        )
        return oldest or 0, last or 0

    def note_addition(self, messages: Collection[int]) -> int:
        """Note that messages of one mailbox, by their ids, were added; return the addition's number."""
        bounds = min(messages), max(messages)
        connection = self._file.connection
        connection.execute("INSERT INTO additions (first, last) VALUES (?, ?)", bounds)
        number = connection.last_insert_rowid()
        connection.execute("DELETE FROM additions WHERE number <= ?", (number - KEPT_ADDITIONS,))
        return number

    def pass_over(self, place: MailboxKey, addition: int) -> None:
        """Trust a mailbox as before an addition, which was our own."""
        if self._compared.get(place) == addition - 1:
            self._compared[place] = addition

    def _follow_rename(self, place: MailboxKey, places: Collection[MailboxKey]) -> bool:
        found = self._file.rows(
            "SELECT number, folder FROM mailboxes WHERE uidvalidity = ?", (place.uidvalidity,)
        )
        for number, folder in found:
            if MailboxKey(folder, place.uidvalidity) not in places:
                self._file.connection.execute(
                    "UPDATE mailboxes SET folder = ? WHERE number = ?", (place.folder, number)
                )
                self.note_addition((number * SPAN + 1, number * SPAN + MAX_NUMBER))
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
