"""The full-text index of one account: which messages hold a substring.

A database of its own next to the index, derived from the messages alone: it may be deleted at any time.
Used by one thread at a time.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple, ParamSpec, TypeVar

import apsw

from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.faults import UNREPORTED, DiskFaults
from twisted_mail.store.index.database import NO_DISK
from twisted_mail.store.known_uids import KnownUids
from twisted_mail.store.search.fields import NUMBERS, IndexedFields
from twisted_mail.store.search.indexed_messages import (
    FIELDS,
    SPAN,
    TEXT,
    WHOLE_TEXT,
    DoubtfulMessages,
    IndexedMessages,
    MailboxKey,
    MessageKey,
)
from twisted_mail.store.search.text_database import TextDatabase
from twisted_mail.store.search.texts import IndexedText, SubstringQuery
from twisted_mail.store.search.word_tables import WordTables

P = ParamSpec("P")
T = TypeVar("T")

READING_COST = 40  # of a message, in messages whose words are read
# Words with a piece somewhere in them that are looked up: where mail is made of such words, which anybody
# can send, it is sooner read.
WORDS_AT_LEAST = 1000
WORDS_OF_MESSAGE = 20
_FORGOTTEN = 500  # messages forgotten in one transaction
_ANY_FIELD = f"field IN {tuple(NUMBERS.values())}"
_DROP_FIELDS = f"DELETE FROM fields WHERE {_ANY_FIELD} AND message = ?"
_LOOKED_UP_SINGLY = (
    8  # hits are looked up one by one where there are less than one in so many messages
)


class SearchHits(NamedTuple):
    """UIDs whose messages hold a substring, and UIDs of which the index does not know it."""

    hits: frozenset[int]
    unknown: frozenset[int]


class IndexedContent(NamedTuple):
    """What is to be kept of a message; no text where only its header was read."""

    key: MessageKey
    fields: IndexedFields
    text: IndexedText | None = None

    @property
    def known(self) -> int:
        """Return what is known of the message then."""
        text = 0 if self.text is None else TEXT | WHOLE_TEXT * self.text.is_whole
        return FIELDS * self.fields.are_whole | text


class FullTextIndex:
    """The database at ``path``, opened at first use.

    Methods are called by way of ``attempt``.
    """

    def __init__(
        self,
        disk: Disk,
        path: bytes,
        faults: DiskFaults = UNREPORTED,
        cache: KnownUids | None = None,
    ) -> None:
        self.file = TextDatabase(disk, path)
        self._messages = IndexedMessages(self.file, KnownUids() if cache is None else cache)
        self._words = WordTables(self.file)
        self._path = path
        self._faults = faults

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
        self._messages.distrust()
        self.file.close()

    # ------------------------------------------------------------ whether messages are the same

    def begin(self, place: MailboxKey, places: Collection[MailboxKey]) -> DoubtfulMessages | None:
        """Begin to compare a mailbox (see ``IndexedMessages.begin``)."""
        with self.file.transaction():
            return self._messages.begin(place, places)

    def compare(
        self, place: MailboxKey, first: int, last: int, there: Iterable[MessageKey]
    ) -> None:
        """Forget messages between two UIDs that are not those that are there."""
        self.forget(place, self._messages.differing(place, first, last, there))

    def trust(self, place: MailboxKey, compared: DoubtfulMessages) -> None:
        """Believe from now on what was known of a mailbox before it was compared."""
        self._messages.trust(place, compared)

    # ------------------------------------------------------------ asking

    def look_up(
        self, place: MailboxKey, uids: Sequence[int], asked: SubstringQuery
    ) -> SearchHits | None:
        """Return which of these messages hold a substring; None if they are to be compared first.

        The UIDs are ascending; as an array they are compared with those that are known the fastest.
        """
        with self.file.transaction("DEFERRED"):
            self._messages.notice()
            number = self._messages.number(place)
            if not self._messages.is_trusted(place):
                return None
            if number is None or not uids or self._is_costly(asked, len(uids)):
                return SearchHits(frozenset(), frozenset(uids))
            bounds = number * SPAN + uids[0], number * SPAN + uids[-1]
            found = self._named(bounds, asked, WORDS_AT_LEAST + WORDS_OF_MESSAGE * len(uids))
            if found is None:
                return SearchHits(frozenset(), frozenset(uids))
            named = _among(found, uids)
            known = self._messages.uids(number, FIELDS if asked.field is not None else WHOLE_TEXT)
            unknown = frozenset() if uids == known else frozenset(uids).difference(known)
            if asked.is_exact:
                return SearchHits(named, unknown - named)
            hits = self._in_a_field(bounds, asked.needle) & named - unknown if named else named
            return SearchHits(hits, (unknown | named) - hits)

    def _is_costly(self, asked: SubstringQuery, number: int) -> bool:
        """Return whether reading so many messages is cheaper than the words of all mailboxes."""
        if not asked.reads_vocabulary:
            return False
        [(in_all,)] = self.file.rows("SELECT count(*) FROM messages")
        return int(in_all) > number * READING_COST

    def _named(
        self, bounds: tuple[int, int], asked: SubstringQuery, most_words: int
    ) -> frozenset[int] | None:
        """Return the UIDs between those of two messages that the index names, if it can."""
        if asked.field is not None:
            return self._having(f"field = {asked.field}", bounds, asked.needle)
        found = self._words.candidates(bounds, asked.pieces, asked.tables, most_words)
        return None if found is None else frozenset([message % SPAN for message in found])

    def _in_a_field(self, bounds: tuple[int, int], needle: bytes) -> frozenset[int]:
        """Return the UIDs of messages of which a field holds the needle; none for an empty one."""
        return self._having(_ANY_FIELD, bounds, needle) if needle else frozenset()

    def _having(self, which: str, bounds: tuple[int, int], needle: bytes) -> frozenset[int]:
        rows = self.file.connection.execute(
            f"SELECT message FROM fields WHERE {which} AND message BETWEEN ? AND ?"
            " AND instr(value, ?) > 0",
            (*bounds, needle),
        )
        return frozenset([message % SPAN for (message,) in rows])

    def mismatches(self, place: MailboxKey, uids: Iterable[int]) -> tuple[list[int], list[int]]:
        """Return, ascending, which of these UIDs are not here, and which that are here are not these."""
        with self.file.transaction("DEFERRED"):
            self._messages.notice()
            return self._messages.mismatches(place, uids)

    # ------------------------------------------------------------ writing

    def add(self, place: MailboxKey, messages: Sequence[IndexedContent]) -> int:
        """Take in messages, or find that they are here; return how many there were."""
        with self.file.transaction():
            first = self._messages.made_number(place) * SPAN
            new = {first + message.key.uid: message for message in messages}
            is_trusted = self._messages.is_trusted(place)
            here = self._messages.known_of(new)
            known = {id: found[2] for id, found in here.items() if found[:2] == new[id].key[1:]}
            self._drop([id for id in here if id not in known])
            for id, message in list(new.items()):
                if id in known and known[id] | message.known == known[id]:
                    del new[id]
                else:
                    known[id] = known.get(id, 0) | message.known
            self._put(new, known)
            addition = self._messages.note_addition(new) if new else None
        if is_trusted and addition is not None:
            self._messages.pass_over(place, addition)
        return len(messages)

    def _put(self, messages: dict[int, IndexedContent], known: dict[int, int]) -> None:
        """Write messages in the place of what may be known of them."""
        execute_many = self.file.connection.executemany
        execute_many(
            "INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?)",
            [(id, one.key.base, one.key.stored, known[id]) for id, one in messages.items()],
        )
        rows = [
            (field, id, place, value)
            for id, one in messages.items()
            for place, (field, value) in enumerate(one.fields.values)
        ]
        execute_many("INSERT OR REPLACE INTO fields VALUES (?, ?, ?, ?)", sorted(rows))
        texts = [(id, one.text) for id, one in messages.items() if one.text is not None]
        self._words.put(texts)
        self._messages.note_change()

    def forget(self, place: MailboxKey, uids: Sequence[int]) -> None:
        """Forget messages."""
        for start in range(0, len(uids), _FORGOTTEN):
            with self.file.transaction():
                number = self._messages.number(place)
                if number is not None:
                    self._drop([number * SPAN + uid for uid in uids[start : start + _FORGOTTEN]])

    def forget_some(self, places: Collection[MailboxKey]) -> bool:
        """Forget a number of messages of mailboxes that are not among these; return whether any were."""
        with self.file.transaction():
            for number, *place in self.file.rows("SELECT * FROM mailboxes"):
                if MailboxKey._make(place) in places:
                    continue
                bounds = number * SPAN, number * SPAN + SPAN - 1
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

    def _drop(self, messages: Sequence[int]) -> None:
        rows = [(message,) for message in messages]
        self._words.drop(rows)
        self.file.connection.executemany(_DROP_FIELDS, rows)
        self.file.connection.executemany("DELETE FROM messages WHERE id = ?", rows)
        self._messages.note_change()


def _among(named: frozenset[int], uids: Sequence[int]) -> frozenset[int]:
    """Return those of the UIDs that are among others, which are ascending."""
    if len(named) * _LOOKED_UP_SINGLY > len(uids):
        return named.intersection(uids)
    last = len(uids) - 1
    return frozenset([uid for uid in named if uids[min(bisect_left(uids, uid), last)] == uid])
