"""SEARCH for substrings in one account: by the full-text index, and by reading where it cannot answer.

The index has a lane of its own, and messages are read and decoded there: the account's lane, where mail
comes and goes, is asked only for names of files. Whatever happens to the index, answers are those of
the plain scan; a message that had to be read is indexed on the way.
"""

import os
import time
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar
from weakref import WeakSet

from twisted_mail.interfaces import Blocking
from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mime.substring_search import matches
from twisted_mail.store.search import located_messages
from twisted_mail.store.search.fulltext import FullTextIndex, IndexedContent, SearchHits
from twisted_mail.store.search.indexed_messages import MailboxKey
from twisted_mail.store.search.located_messages import HEADERS, TEXTS, LocatedMessage, SearchBatch
from twisted_mail.store.search.message_reader import MessageReader, header_of
from twisted_mail.store.search.text_database import FILE
from twisted_mail.store.search.texts import SubstringQuery, matches_everything, substring_query
from twisted_mail.store.search.unwritten import UnwrittenContents
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.work.lane import AccountLane

P = ParamSpec("P")
T = TypeVar("T")

# While messages are indexed in the background there is a gap after so much work: then the reactor's
# thread has the interpreter, which it would else wait for for 5 ms.
WORK_SECONDS = 0.001
GAP_SECONDS = 0.00005
_ATTEMPTS = 3  # to compare a mailbox that another process writes about


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
        self._faults = tree.environment.faults
        self._reader = MessageReader(tree.environment)
        path = os.path.join(tree.path, FILE)
        index = FullTextIndex(tree.disk, path, self._faults, tree.environment.known_uids)
        self._index = index if settings.search else None
        self._unwritten = UnwrittenContents(self._add)

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
        """Ask the index, which has everything then that was read so far."""

        def ask() -> T | None:
            self._unwritten.write()
            return index.attempt(work, *args, **kwargs)

        return await self._blocking.run(ask)

    async def close(self) -> None:
        """Close the index, which is opened again at the next use."""
        if self._index is not None:
            await self._ask(self._index, self._index.close)

    # ------------------------------------------------------------ searching

    async def matching(self, folder: Folder, uids: Sequence[int], what: Contains) -> frozenset[int]:
        """Return those of the UIDs, ascending, whose messages are there and hold the substring."""
        place = await self.lane.perform_on(folder, located_messages.place)
        if matches_everything(what):
            return frozenset(uids)
        found = await self._found(folder, place, uids, substring_query(what))
        if not found.unknown:
            return found.hits
        if self._index is not None:
            self._note_unindexed(folder)
        return found.hits | await self._read(folder, sorted(found.unknown), what)

    async def _found(
        self, folder: Folder, place: MailboxKey, uids: Sequence[int], asked: SubstringQuery
    ) -> SearchHits:
        """Ask the index. Where it is of no use, every message is unknown to it."""
        if self._index is not None and asked.is_answerable:
            for _ in range(_ATTEMPTS):
                found = await self._ask(self._index, self._index.look_up, place, uids, asked)
                if found is not None:
                    return found
                place = await self._compare(folder, self._index)
        return SearchHits(frozenset(), frozenset(uids))

    async def _read(self, folder: Folder, uids: Sequence[int], what: Contains) -> set[int]:
        """Return which of these messages hold the substring; what was read is kept in the index."""
        limits = HEADERS if what.where == "header" else TEXTS
        hits: set[int] = set()
        start = 0
        while some := uids[start : start + limits.messages]:
            batch = await self.lane.perform_on(
                folder, located_messages.batch_of, some, limits.octets
            )
            seen, moved = await self._blocking.run(self._scan, batch, what)
            hits |= seen
            if moved:
                hits |= await self.lane.perform_on(folder, located_messages.matching, moved, what)
            start += batch.number
        await self._blocking.run(self._unwritten.write)
        return hits

    def _scan(self, batch: SearchBatch, what: Contains) -> tuple[set[int], list[int]]:
        """Search messages in the lane; return the hits, and which lie elsewhere by now."""
        look = self._look_in_header if what.where == "header" else self._look_in_text
        hits, moved = set(), []
        for file in batch.files:
            found = look(file, what)
            if found is None:  # the account's lane finds it, or why it cannot be read
                moved.append(file.row.uid)
                continue
            is_hit, new = found
            self._unwritten.add(batch.place, new)
            if is_hit:
                hits.add(file.row.uid)
        return hits, moved

    def _look_in_text(
        self, file: LocatedMessage, what: Contains
    ) -> tuple[bool, IndexedContent] | None:
        found = self._reader.text(file)
        return None if found is None else (found[0].holds(what), found[1])

    def _look_in_header(
        self, file: LocatedMessage, what: Contains
    ) -> tuple[bool, IndexedContent] | None:
        data = self._reader.header(file)
        if data is None:
            return None
        new = header_of(file, data)
        is_hit = new.fields.hold(what)
        return matches(data, what) if is_hit is None else is_hit, new

    def _add(self, place: MailboxKey, new: list[IndexedContent]) -> bool:
        return self._index is None or self._index.attempt(self._index.add, place, new) is not None

    # ------------------------------------------------------------ whether messages are the same

    async def _compare(self, folder: Folder, index: FullTextIndex) -> MailboxKey:
        """Have the index compare its messages with those that are there, as far as they are doubtful."""
        place, places = await self.lane.background.perform_on(folder, located_messages.keys)
        doubtful = await self._ask(index, index.begin, place, places)
        if doubtful is None:
            return place
        last = doubtful.first - 1
        while last < doubtful.last:
            most = min(doubtful.last - last, located_messages.COMPARED)
            there = await self.lane.background.perform_on(
                folder, located_messages.message_keys, last, most
            )
            first, last = last + 1, there[-1].uid if len(there) == most else doubtful.last
            await self._ask(index, index.compare, place, first, last, there)
        await self._ask(index, index.trust, place, doubtful)
        return place

    # ------------------------------------------------------------ indexing

    async def missing(self, folder: Folder) -> list[int]:
        """Return the UIDs that are not indexed, ascending, and forget those that are gone."""
        index = self._index
        if index is None:
            return []
        await self._compare(folder, index)
        place, uids = await self.lane.background.perform_on(folder, located_messages.present)
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
            place, there = await self.lane.background.perform_on(folder, located_messages.present)
            gone = sorted(set(uids) - there)
            await self._ask(index, index.forget, place, gone)

    async def index(self, folder: Folder, uids: Sequence[int]) -> bool:
        """Index a few messages; return whether that can go on."""
        start = 0
        while some := uids[start : start + TEXTS.messages]:
            batch = await self.lane.background.perform_on(
                folder, located_messages.batch_of, some, TEXTS.octets
            )
            if not await self.lane.patiently(self._blocking.run(self._index_batch, batch)):
                return False
            start += batch.number
        return await self.lane.patiently(self._blocking.run(self._unwritten.write))

    def _index_batch(self, batch: SearchBatch) -> bool:
        gap_at = time.monotonic() + WORK_SECONDS
        for file in batch.files:
            found = self._reader.text(file, self._faults.note)
            # What was not found lies elsewhere, and its turn comes another time.
            if found is not None and not self._unwritten.add(batch.place, found[1]):
                return False
            if time.monotonic() >= gap_at:
                time.sleep(GAP_SECONDS)
                gap_at = time.monotonic() + WORK_SECONDS
        return True

    async def tidy(self) -> None:
        """Forget mailboxes that are gone."""
        index = self._index
        if index is not None:
            while await self._ask(
                index,
                index.forget_some,
                await self.lane.background.perform(located_messages.all_keys),
            ):
                pass
