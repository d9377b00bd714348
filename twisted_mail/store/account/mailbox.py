"""One open mailbox of a maildir, as one session has it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from twisted_mail.interfaces import Renderer, Watcher
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.entry import (
    Contains,
    CopyResult,
    ItemTier,
    MessageIdentity,
    MessageRange,
    RenderedItems,
)
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.store.account import alterations, rendering
from twisted_mail.store.account.measuring import measure_for_claim
from twisted_mail.store.account.open_mailbox import OpenMailbox
from twisted_mail.store.account.open_mailboxes import OpenMailboxes
from twisted_mail.store.account.quota_claim import QuotaClaim
from twisted_mail.store.account.read_ahead import BLOCK, block_of, following
from twisted_mail.store.account.thread_assignment import ThreadAssignment
from twisted_mail.store.file_names import FileNames
from twisted_mail.store.keyword_limit import check_marks
from twisted_mail.store.quota import Usage
from twisted_mail.store.reading import contents, items
from twisted_mail.store.reading.nonblocking_read import read_at_once
from twisted_mail.store.rendered_cache import CacheShare
from twisted_mail.store.search.search import Search
from twisted_mail.store.work.lane import AccountLane
from twisted_mail.store.work.measure import PIECE
from twisted_mail.store.work.reconcile import ready
from twisted_mail.store.work.set_flags import How


@dataclass(frozen=True, slots=True)
class MailboxServices:
    """What all open mailboxes of one account use."""

    lane: AccountLane
    claim: QuotaClaim
    open_mailboxes: OpenMailboxes
    render: Renderer
    rendered: CacheShare
    file_names: FileNames
    search: Search
    threads: ThreadAssignment


class MaildirMailbox:
    """One open mailbox. Fulfils ``interfaces.Mailbox``.

    ``columns`` are the live columns, shared by all sessions that have it open; ``faulty`` are the UIDs of
    messages that were left out for faults of their files.
    """

    def __init__(self, live: OpenMailbox, services: MailboxServices) -> None:
        self._live = live
        self._folder = live.folder
        self.columns: EntryColumns = live.columns
        self._services = services
        self._lane = services.lane
        self._faults = services.lane.tree.environment.faults
        self.faulty: frozenset[int] = frozenset()
        self._ends: list[Callable[[], None]] = []
        self._is_closed = False
        self._is_claimant = False
        services.open_mailboxes.acquire(live)

    @property
    def name(self) -> str:
        """Return the present name."""
        return self._live.name

    @property
    def uidvalidity(self) -> int:
        """Return the UIDVALIDITY."""
        return self._folder.uidvalidity

    @property
    def id(self) -> str:
        """Return the MAILBOXID."""
        return self._folder.id

    @property
    def may_add_keywords(self) -> bool:
        """Return whether new keywords can be made."""
        return self._folder.keywords.has_room

    @property
    def keywords(self) -> Sequence[str]:
        """Return the keywords in use, in the order in which they came."""
        return self._folder.keywords.names

    async def take_recent(self) -> int:
        """Return the lowest UID that is recent for a session that begins, and claim it and all above."""
        freshness = self._folder.freshness
        if not (self._is_claimant or self._is_closed):
            self._is_claimant = True
            freshness.claimants += 1
        if freshness.first_recent < self.columns.uidnext:  # else nothing is
            await self._lane.perform_on(self._folder, ready)
        return self.claim_recent()

    def claim_recent(self) -> int:
        """Return the lowest UID that nobody was sent as recent, and take it and all above.

        The files move from new to cur with the next piece of work.
        """
        return self._folder.freshness.claim_recent(self.columns.uidnext)

    async def refresh(self) -> None:
        """Look for what other programs did, and publish it; once it was closed, do nothing."""
        if not self._is_closed:  # nobody would end the watch that this may begin
            live = self._live
            await (live.watched or self._services.open_mailboxes.watching(live)).refresh()

    async def measure(self, uids: Sequence[int]) -> None:
        """Have the columns know date and size of these messages."""
        unknown = self.columns.unmeasured(uids)
        with self._noting(unknown):
            for start in range(0, len(unknown), PIECE):
                part = unknown[start : start + PIECE]
                await self._lane.perform_on(self._folder, contents.measure_each, part)

    async def measure_with_headers(self, uids: Sequence[int]) -> None:
        """Have the columns know date and size of these messages, and the index their headers."""
        unknown = self.columns.unmeasured(uids)
        with self._noting(unknown):
            await rendering.measure_with_headers(
                self._lane, self._folder, unknown, self._services.render
            )

    # ------------------------------------------------------------ alterations

    async def mark(
        self,
        uids: Sequence[int],
        how: How,
        flags: Flags,
        unchanged_since: int | None = None,
    ) -> tuple[int, ...]:
        """Alter flags; return the UIDs refused for being changed since."""
        check_marks(self.columns, uids, how, flags)
        if unchanged_since is None and await self._is_so_already(uids, how, flags):
            return ()
        with self._noting(uids):
            return await alterations.mark(
                self._lane, self._folder, uids, how, flags, unchanged_since
            )

    async def _is_so_already(self, uids: Sequence[int], how: How, flags: Flags) -> bool:
        """Return whether the flags are as asked for, at this very moment."""
        if not alterations.alters_nothing(self.columns, uids, how, flags):
            return False
        await self.refresh()
        return alterations.alters_nothing(self.columns, uids, how, flags)

    async def copy(self, uids: Sequence[int], target: str) -> CopyResult:
        """Copy messages, all or none."""
        await measure_for_claim(self._lane)
        if self._services.claim.is_remote:
            await self.measure(uids)
        rows = self._rows_of(uids)
        size = Usage(sum([self.columns.sizes[row] for row in rows]), len(rows))
        flags = self._flags_of(rows)
        async with self._services.claim.hold(size):
            return await alterations.copy(self._lane, self._folder, uids, target, flags, size)

    async def move(self, uids: Sequence[int], target: str) -> CopyResult:
        """Move messages."""
        flags = self._flags_of(self._rows_of(uids))
        return await alterations.move(self._lane, self._folder, uids, target, flags)

    def _rows_of(self, uids: Sequence[int]) -> list[int]:
        return [row for row in map(self.columns.row, uids) if row is not None]

    def _flags_of(self, rows: Iterable[int]) -> Flags:
        """Return all flags that any of the messages has."""
        return flag.NONE.union(*{self.columns.flags[row] for row in rows})

    async def expunge(self, uids: Sequence[int]) -> tuple[int, ...]:
        """Remove messages; return the ascending UIDs of those that were there."""
        with self._noting(uids):
            expunged = await alterations.expunge(self._lane, self._folder, uids)
        if expunged.error is not None:
            raise self._faults.unavailable(self._folder.path, expunged.error) from expunged.error
        return expunged.uids

    # ------------------------------------------------------------ contents

    async def items(
        self, uids: Sequence[int], tier: ItemTier = ItemTier.PREVIEW
    ) -> Sequence[RenderedItems | None]:
        """Return the items up to a tier, in the order asked; None where a message is gone."""
        found = self._services.rendered.get(self._live.number, uids, tier)
        if len(found) == len(uids):
            return list(found.values())
        missing = [uid for uid in uids if uid not in found]
        made = await self._made(missing, tier) if missing else {}
        return [found.get(uid) or made.get(uid) for uid in uids]

    async def _made(self, uids: Sequence[int], tier: ItemTier) -> dict[int, RenderedItems | None]:
        """Return items that are not in memory, and keep them there if they are few."""
        if len(uids) > BLOCK:  # who reads a whole mailbox seldom asks for the same soon again
            return await self._render(uids, tier)
        made = await self._render(uids, tier, self._items_lacking(uids[0], tier))
        present = {uid: one for uid, one in made.items() if self.columns.row(uid) is not None}
        self._services.rendered.put(self._live.number, present)
        return made

    async def _render(
        self, uids: Sequence[int], tier: ItemTier, beside: Sequence[int] = ()
    ) -> dict[int, RenderedItems | None]:
        with self._noting(uids):
            return await rendering.items(
                self._lane, self._folder, uids, (self._services.render, tier), beside
            )

    def _items_lacking(self, uid: int, tier: ItemTier) -> Sequence[int]:
        """Return those UIDs in the block of one whose items are not in memory."""
        return self._services.rendered.lacking(self._live.number, block_of(self.columns, uid), tier)

    async def identities(self, uids: Sequence[int]) -> Sequence[MessageIdentity | None]:
        """Return what messages are called, in the order asked; None where one is gone."""
        with self._noting(uids):
            found = await self._lane.perform_on(self._folder, items.identities, uids)
        return [found.get(uid) for uid in uids]

    async def threads(self, uids: Sequence[int]) -> Sequence[str | None]:
        """Return the threads of messages, in the order asked; None where one is gone."""
        with self._noting(uids):
            found = await self._services.threads.threads(self._folder, uids)
        return [found.get(uid) for uid in uids]

    async def read(self, pieces: Sequence[MessageRange]) -> Sequence[bytes | None]:
        """Return ranges of messages; None where a message is gone."""
        names, number = self._services.file_names, self._live.number
        known = names.of(number)
        found = read_at_once(self._folder, self.columns, known, pieces)
        rest = pieces[len(found) :]
        if rest or not pieces:  # whether the mailbox is there is known in the lane
            uids = list(dict.fromkeys([piece.uid for piece in rest]))
            after = following(self.columns, uids, known)
            beside = block_of(self.columns, uids[0]) if uids and not after else ()
            with self._noting(uids):
                read = await self._lane.perform_on(self._folder, contents.read, rest, beside, after)
            names.put(number, read.names)
            found += read.octets
        return found

    async def matching(self, uids: Sequence[int], what: Contains) -> frozenset[int]:
        """Return those of the UIDs whose messages hold the substring."""
        with self._noting(uids):
            present = self.columns.present(uids)
            return await self._services.search.matching(self._folder, present, what)

    # ------------------------------------------------------------ faults

    def forget_faulty(self) -> None:
        """Forget the messages that were left out."""
        self.faulty = frozenset()

    @contextmanager
    def _noting(self, uids: Sequence[int]) -> Iterator[None]:
        """Note which of these messages have a fault meanwhile."""
        before = self._folder.faulty.count
        yield
        self.faulty |= self._folder.faulty.since(before, uids)

    # ------------------------------------------------------------ watching

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Hand every Change of this mailbox to ``watcher``, until ended or closed."""
        end = self._services.open_mailboxes.change_feed.watch(watcher, self.name)
        self._ends.append(end)
        return end

    def close(self) -> None:
        """Give the mailbox back; its watchers are called no more."""
        while self._ends:
            self._ends.pop()()
        if not self._is_closed:
            self._is_closed = True
            self._folder.freshness.claimants -= self._is_claimant
            self._services.open_mailboxes.release(self._live)
