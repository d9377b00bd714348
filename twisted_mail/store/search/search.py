"""SEARCH for substrings in one account: by the full-text index, and by reading where it cannot answer.

The index has a lane of its own, and messages are read and decoded there: the account's lane, where mail
comes and goes, is asked only for names of files. Whatever happens to the index, answers are those of
the plain scan; a message that had to be read is indexed on the way.
"""

import os
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar
from weakref import WeakSet

from twisted_mail.interfaces import Blocking
from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mailbox.numbers import MAX_NUMBER
from twisted_mail.mail.mime.matching import matches, searchable
from twisted_mail.store.disk.faults import is_of_one_file
from twisted_mail.store.index.rows import Row
from twisted_mail.store.reading import contents
from twisted_mail.store.search import messages
from twisted_mail.store.search.fulltext import FullTextIndex, MailboxKey, MessageKey, SearchHits
from twisted_mail.store.search.messages import LocatedMessage, SearchBatch
from twisted_mail.store.search.textfile import FILE
from twisted_mail.store.search.texts import (
    IndexedText,
    SubstringQuery,
    matches_everything,
    substring_query,
    text_of,
)
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.work.lane import AccountLane

P = ParamSpec("P")
T = TypeVar("T")

INDEXED_SIZE = 128 * 1024  # octets of messages indexed at a time
INDEXED_AT_ONCE = 1000  # messages that a search indexes: who waits for it does not wait for more
_ATTEMPTS = 3  # to compare a mailbox that another process writes about


def _ignore(path: bytes, error: OSError) -> None:
    """Leave an error to whoever tries next."""


class Search:
    """The search of one account, on the reactor thread.

    ``note_unindexed`` is called with mailboxes in which a search had to read messages; ``is_in_use``
    returns whether anybody has a mailbox open.
    """

    def __init__(
        self,
        lane: AccountLane,
        blocking: Blocking,
        name: str,
        note_unindexed: Callable[[Folder], None],
        is_in_use: Callable[[], bool],
    ) -> None:
        tree, settings = lane.tree, lane.tree.environment.settings
        self.name = name
        self.lane = lane
        self.is_in_use = is_in_use
        self.compared: WeakSet[Folder] = WeakSet()  # what these lack is noted as it comes
        self._note_unindexed = note_unindexed
        self._blocking = blocking
        self._disk = tree.disk
        self._faults = tree.environment.faults
        self._wholes = tree.environment.memory_limit
        path = os.path.join(tree.path, FILE)
        self._index = FullTextIndex(tree.disk, path, self._faults) if settings.search else None
        self._limit = settings.search_text_limit

    @property
    def has_open_index(self) -> bool:
        """Return whether the index was opened, and not closed since."""
        return self._index is not None and self._index.file.is_open

    @property
    def is_indexed(self) -> bool:
        """Return whether this account has an index of texts."""
        return self._index is not None

    async def _ask(
        self, index: FullTextIndex, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        return await self._blocking.run(lambda: index.attempt(work, *args, **kwargs))

    async def close(self) -> None:
        """Close the index, which is opened again at the next use."""
        if self._index is not None:
            await self._blocking.run(self._index.close)

    # ------------------------------------------------------------ searching

    async def matching(self, folder: Folder, uids: Sequence[int], what: Contains) -> frozenset[int]:
        """Return those of the UIDs whose messages are there and hold the substring."""
        place, there = await self.lane.perform_on(folder, messages.present, uids)
        if matches_everything(what):
            return there
        found = await self._found(folder, place, there, substring_query(what))
        hits = set(found.hits)
        rest = sorted(found.unknown)
        if rest and self._index is not None:
            self._note_unindexed(folder)
        read = 0
        while rest:
            batch = await self.lane.perform_on(folder, messages.batch_of, rest)
            is_kept = self._index is not None and read < INDEXED_AT_ONCE
            seen, moved = await self._blocking.run(self._scan, batch, what, is_kept)
            hits |= seen
            read += len(batch.files)
            if moved:
                hits |= await self.lane.perform_on(folder, messages.matching, moved, what)
            rest = rest[batch.number :]
        return frozenset(hits)

    async def _found(
        self, folder: Folder, place: MailboxKey, there: frozenset[int], asked: SubstringQuery
    ) -> SearchHits:
        """Ask the index. Where it is of no use, every message is unknown to it."""
        if self._index is not None and asked.is_answerable:
            for _ in range(_ATTEMPTS):
                found = await self._ask(self._index, self._index.look_up, place, there, asked)
                if found is not None:
                    return found
                place = await self._compare(folder, self._index)
        return SearchHits(frozenset(), there)

    def _scan(
        self, batch: SearchBatch, what: Contains, is_kept: bool
    ) -> tuple[set[int], list[int]]:
        """Search messages in the lane; return the hits, and which lie elsewhere by now."""
        hits = set()
        texts = []
        moved = []
        for file in batch.files:
            with self._wholes.holding(file.row.size):
                data = self._data(file)
                if data is None:  # the account's lane finds it, or why it cannot be read
                    moved.append(file.row.uid)
                elif what.where == "header":
                    hits |= {file.row.uid} if matches(data, what) else set()
                else:
                    text = searchable(data)
                    hits |= {file.row.uid} if text.holds(what) else set()
                    if is_kept:
                        texts.append((_identity(file.row), text_of(data, text, self._limit)))
        self._add(batch.place, texts)
        return hits, moved

    def _add(self, place: MailboxKey, texts: list[tuple[MessageKey, IndexedText]]) -> bool:
        if self._index is None or not texts:
            return True
        return self._index.attempt(self._index.add, place, texts) is not None

    # ------------------------------------------------------------ whether messages are the same

    async def _compare(self, folder: Folder, index: FullTextIndex) -> MailboxKey:
        """Have the index compare its messages with those that are there."""
        place, places = await self.lane.perform_on_in_background(folder, messages.keys)
        epoch = await self._ask(index, index.begin, place, places)
        last = 0
        while epoch is not None and last < MAX_NUMBER:
            there = await self.lane.perform_on_in_background(folder, messages.message_keys, last)
            first, last = last + 1, there[-1].uid if len(there) == messages.COMPARED else MAX_NUMBER
            await self._ask(index, index.compare, place, first, last, there)
        if epoch is not None:
            await self._ask(index, index.trust, place, epoch)
        return place

    # ------------------------------------------------------------ indexing

    async def missing(self, folder: Folder) -> list[int]:
        """Return the UIDs that are not indexed, ascending, and forget those that are gone."""
        index = self._index
        if index is None:
            return []
        await self._compare(folder, index)
        place, uids = await self.lane.perform_on_in_background(folder, messages.present, None)
        found = await self._ask(index, index.mismatches, place, uids)
        if found is None:
            return []
        missing, gone = found
        await self._ask(index, index.forget, place, gone)
        self.compared.add(folder)
        return missing

    async def forget(self, folder: Folder, uids: Sequence[int]) -> None:
        """Forget messages that are gone."""
        index = self._index
        if index is not None:
            place, there = await self.lane.perform_on_in_background(folder, messages.present, uids)
            gone = sorted(set(uids) - there)
            await self._ask(index, index.forget, place, gone)

    async def index(self, folder: Folder, uids: Sequence[int]) -> bool:
        """Index a few messages; return whether that can go on."""
        batch = await self.lane.perform_on_in_background(
            folder, messages.batch_of, uids, INDEXED_SIZE
        )
        can_go_on = await self._blocking.run(self._index_batch, batch)
        rest = uids[batch.number :]
        return await self.index(folder, rest) if rest and can_go_on else can_go_on

    def _index_batch(self, batch: SearchBatch) -> bool:
        texts = []
        for file in batch.files:
            with self._wholes.holding(file.row.size):
                data = self._data(file, self._faults.note)
                if data is not None:  # else it lies elsewhere, and its turn comes another time
                    text = text_of(data, searchable(data), self._limit)
                    texts.append((_identity(file.row), text))
        return self._add(batch.place, texts)

    def _data(
        self, file: LocatedMessage, note: Callable[[bytes, OSError], None] = _ignore
    ) -> bytes | None:
        """Return a whole message; None where the file has another name now, or cannot be read."""
        try:
            return contents.read_whole_file(self._disk, file.path, file.row)
        except FileNotFoundError:
            return None
        except OSError as error:
            if not is_of_one_file(error):
                raise self._faults.unavailable(file.path, error) from error
            note(file.path, error)
            return None

    async def tidy(self) -> None:
        """Forget mailboxes that are gone."""
        index = self._index
        if index is not None:
            while await self._ask(
                index,
                index.forget_some,
                await self.lane.perform_in_background(messages.all_keys),
            ):
                pass


def _identity(row: Row) -> MessageKey:
    return MessageKey(row.uid, row.base, row.stored)
