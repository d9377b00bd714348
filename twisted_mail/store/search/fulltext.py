"""The full-text index of one account: which messages hold a substring, by SQLite's FTS5.

A database of its own next to the index, derived from the messages alone: it may be deleted at any time.
A message is known by its mailbox (folder and UIDVALIDITY) and UID. UIDs are not given twice, but files
may be: what was restored from a backup is found out by comparing the base names of all messages once,
when a mailbox is first asked for and whenever another process wrote here. Used by one thread at a time.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple, ParamSpec, TypeVar

import apsw

from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.faults import UNREPORTED, DiskFaults
from twisted_mail.store.index.database import NO_DISK
from twisted_mail.store.search.textfile import TextDatabase
from twisted_mail.store.search.texts import END, IndexedText, SubstringQuery

P = ParamSpec("P")
T = TypeVar("T")

_UIDS = 1 << 32  # a message's id is its mailbox's number times this, and its UID
READING_COST = 20  # of a message, in messages looked up by the opening of their grams
_FORGOTTEN = 500  # messages forgotten in one transaction


class MailboxKey(NamedTuple):
    """A mailbox: its folder, and its UIDVALIDITY."""

    folder: bytes
    uidvalidity: int


class MessageKey(NamedTuple):
    """What distinguishes one message from any other that may ever have its UID."""

    uid: int
    base: bytes
    stored: int


class SearchHits(NamedTuple):
    """UIDs whose messages hold a substring, and UIDs of which the index does not know it."""

    hits: frozenset[int]
    unknown: frozenset[int]


class FullTextIndex:
    """The database at ``path``, opened at first use.

    Methods are called by way of ``attempt``.
    """

    def __init__(self, disk: Disk, path: bytes, faults: DiskFaults = UNREPORTED) -> None:
        self.file = TextDatabase(disk, path)
        self._path = path
        self._faults = faults
        self._trusted: set[MailboxKey] = set()
        self._data_version = 0
        self._epoch = 0

    def attempt(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Do a piece of work here, or return None where that cannot be.

        A damaged database is thrown away; for other trouble it waits until next time.
        """
        try:
            return work(*args, **kwargs)
        except (apsw.BusyError, apsw.LockedError):
            self.close()
        except NO_DISK as error:
            self._faults.note(self._path, error)
            self.close()
        except apsw.SchemaChangeError:  # made by another version
            self.close()
            self.file.discard()
        except (apsw.Error, UnicodeError) as error:
            self._faults.note(self._path, error)
            self.close()
            self.file.discard()
        return None

    def close(self) -> None:
        """Close the database; whatever was not committed is undone."""
        self._trusted.clear()
        self._epoch += 1
        self.file.close()

    # ------------------------------------------------------------ whether messages are the same

    def begin(self, place: MailboxKey, places: Collection[MailboxKey]) -> int | None:
        """Begin to compare a mailbox; return what ``trust`` takes, or None if it is trusted already.

        ``places`` are all mailboxes of the account: one that is not there any more may have been renamed
        to this.
        """
        with self.file.transaction():
            self._notice()
            if place in self._trusted:
                return None
            if self._number(place) is None:
                self._follow_rename(place, places)
        return self._epoch

    def _notice(self) -> None:
        """Trust nothing any more if another process wrote."""
        found = self.file.connection.pragma("data_version")
        if found != self._data_version:
            self._data_version = int(str(found))
            self._trusted.clear()
            self._epoch += 1

    def _follow_rename(self, place: MailboxKey, places: Collection[MailboxKey]) -> None:
        found = self.file.rows(
            "SELECT number, folder FROM mailboxes WHERE uidvalidity = ?", (place.uidvalidity,)
        )
        for number, folder in found:
            if MailboxKey(folder, place.uidvalidity) not in places:
                self.file.connection.execute(
                    "UPDATE mailboxes SET folder = ? WHERE number = ?", (place.folder, number)
                )
                return

    def compare(
        self, place: MailboxKey, first: int, last: int, there: Iterable[MessageKey]
    ) -> None:
        """Forget messages between two UIDs that are not those that are there."""
        number = self._number(place)
        if number is None:
            return
        known = self.file.rows(
            "SELECT id - ?1, base, stored FROM messages WHERE id BETWEEN ?1 + ?2 AND ?1 + ?3",
            (number * _UIDS, first, last),
        )
        wrong = {identity[0] for identity in set(known) - set(there)}
        self.forget(place, sorted(wrong))

    def trust(self, place: MailboxKey, epoch: int) -> None:
        """Believe from now on what is known of a mailbox, if it was compared undisturbed."""
        if epoch == self._epoch:
            self._trusted.add(place)

    # ------------------------------------------------------------ asking

    def look_up(
        self, place: MailboxKey, uids: frozenset[int], asked: SubstringQuery
    ) -> SearchHits | None:
        """Return which of these messages hold a substring; None if they are to be compared first."""
        with self.file.transaction("DEFERRED"):
            number = self._number(place)
            self._notice()
            if place not in self._trusted:
                return None
            if number is None or not uids or self._is_costly(asked, len(uids)):
                return SearchHits(frozenset(), uids)
            bounds = number * _UIDS + min(uids), number * _UIDS + max(uids)
            named = self._named(bounds, asked) & uids
            unknown = uids - self._uids("SELECT id FROM messages WHERE id BETWEEN ? AND ?", bounds)
            in_part = "SELECT id FROM messages WHERE NOT is_whole AND id BETWEEN ? AND ?"
            unknown |= uids & self._uids(in_part, bounds)
            if not asked.is_exact:
                return SearchHits(frozenset(), unknown | named)
            return SearchHits(named, unknown - named)

    def _is_costly(self, asked: SubstringQuery, number: int) -> bool:
        """Return whether reading so many messages is cheaper: openings are looked up in all mailboxes."""
        if not asked.opening:
            return False
        [(in_all,)] = self.file.rows("SELECT count(*) FROM messages")
        return int(in_all) > number * READING_COST

    def _named(self, bounds: tuple[int, int], asked: SubstringQuery) -> frozenset[int]:
        if asked.phrase:
            return self._uids(
                "SELECT rowid FROM texts WHERE rowid BETWEEN ? AND ? AND texts MATCH ?",
                (*bounds, asked.phrase),
            )
        if asked.opening:
            column = "" if asked.is_anywhere else " AND col = 'body'"
            return self._uids(
                "SELECT DISTINCT doc FROM temp.grams WHERE doc BETWEEN ? AND ?"
                f" AND term BETWEEN ? AND ?{column}",
                (*bounds, asked.opening, asked.opening + "\U0010ffff"),
            )
        return self._uids(
            "SELECT message FROM fields WHERE message BETWEEN ? AND ? AND name = ?"
            " AND instr(value, ?) > 0",
            (*bounds, asked.field, asked.needle),
        )

    def _uids(self, query: str, values: tuple[int | str | bytes, ...]) -> frozenset[int]:
        return frozenset([number % _UIDS for (number,) in self.file.rows(query, values)])

    def mismatches(self, place: MailboxKey, uids: Iterable[int]) -> tuple[list[int], list[int]]:
        """Return, ascending, which of these UIDs are not here, and which that are here are not these."""
        number = self._number(place)
        wanted = frozenset(uids)
        if number is None:
            return sorted(wanted), []
        bounds = number * _UIDS, number * _UIDS + _UIDS - 1
        here = self._uids("SELECT id FROM messages WHERE id BETWEEN ? AND ?", bounds)
        return sorted(wanted - here), sorted(here - wanted)

    # ------------------------------------------------------------ writing

    def add(self, place: MailboxKey, texts: Sequence[tuple[MessageKey, IndexedText]]) -> int:
        """Take in messages, or find that they are here; return how many there were."""
        with self.file.transaction():
            number = self._number(place)
            if number is None:
                self.file.connection.execute(
                    "INSERT INTO mailboxes (folder, uidvalidity) VALUES (?, ?)", place
                )
                number = self.file.connection.last_insert_rowid()
            for identity, text in sorted(texts):
                self._put(number * _UIDS + identity.uid, identity, text)
        return len(texts)

    def _put(self, message: int, identity: MessageKey, text: IndexedText) -> None:
        there = self.file.connection.execute(
            "SELECT base, stored FROM messages WHERE id = ?", (message,)
        ).fetchone()
        if there == identity[1:]:
            return
        if there is not None:
            self._drop([message])
        self.file.connection.execute(
            "INSERT INTO messages VALUES (?, ?, ?, ?)",
            (message, identity.base, identity.stored, text.is_whole),
        )
        self.file.connection.executemany(
            "INSERT INTO fields VALUES (?, ?, ?, ?)",
            [(name, message, at, value) for at, (name, value) in enumerate(text.fields)],
        )
        self.file.connection.execute(
            "INSERT INTO texts (rowid, headers, body, names) VALUES (?, ?, ?, ?)",
            (message, *(part and part + END for part in text[:3])),
        )

    def forget(self, place: MailboxKey, uids: Sequence[int]) -> None:
        """Forget messages."""
        for start in range(0, len(uids), _FORGOTTEN):
            with self.file.transaction():
                number = self._number(place)
                if number is not None:
                    self._drop([number * _UIDS + uid for uid in uids[start : start + _FORGOTTEN]])

    def forget_some(self, places: Collection[MailboxKey]) -> bool:
        """Forget a number of messages of mailboxes that are not among these; return whether any were."""
        with self.file.transaction():
            for number, *place in self.file.rows("SELECT * FROM mailboxes"):
                if MailboxKey._make(place) in places:
                    continue
                bounds = number * _UIDS, number * _UIDS + _UIDS - 1
                found = self.file.rows(
                    f"SELECT id FROM messages WHERE id BETWEEN ? AND ? LIMIT {_FORGOTTEN}", bounds
                )
                self._drop([message for (message,) in found])
                if len(found) < _FORGOTTEN:
                    self.file.connection.execute(
                        "DELETE FROM mailboxes WHERE number = ?", (number,)
                    )
                return True
        return False

    def _drop(self, messages: Iterable[int]) -> None:
        rows = [(message,) for message in messages]
        self.file.connection.executemany("DELETE FROM texts WHERE rowid = ?", rows)
        self.file.connection.executemany("DELETE FROM fields WHERE message = ?", rows)
        self.file.connection.executemany("DELETE FROM messages WHERE id = ?", rows)

    def _number(self, place: MailboxKey) -> int | None:
        found = self.file.rows(
            "SELECT number FROM mailboxes WHERE folder = ? AND uidvalidity = ?", place
        )
        return found[0][0] if found else None
