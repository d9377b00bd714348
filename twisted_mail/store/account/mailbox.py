"""One open mailbox of a maildir, as one session has it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from twisted_mail.interfaces import Renderer, Watcher
from twisted_mail.mail.mailbox.entry import (
    Contains,
    CopyResult,
    EntryColumns,
    MessageIdentity,
    MessageRange,
    RenderedItems,
)
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.store.account.open_mailbox import OpenMailbox
from twisted_mail.store.disk.durable import unavailable
from twisted_mail.store.format import filename
from twisted_mail.store.reading import contents
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.transaction import UnitOfWork
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.work import append_copy, move, set_flags
from twisted_mail.store.work.measure import PIECE, all_measured, measure
from twisted_mail.store.work.reconcile import scan
from twisted_mail.store.work.set_flags import How

if TYPE_CHECKING:
    from twisted_mail.store.account.account import MaildirAccount


class MaildirMailbox:
    """One open mailbox. Fulfils ``interfaces.Mailbox``."""

    def __init__(self, account: "MaildirAccount", live: OpenMailbox) -> None:
        self._account = account
        self._live = live
        self._folder = live.folder
        self._ends: list[Callable[[], None]] = []
        self._is_closed = False
        live.users += 1

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
    def columns(self) -> EntryColumns:
        """Return the live columns."""
        return self._live.columns

    @property
    def may_add_keywords(self) -> bool:
        """Say whether new keywords can be made."""
        return self._folder.keywords.has_room

    @property
    def keywords(self) -> Sequence[str]:
        """Return the keywords in use, in the order in which they came."""
        return self._folder.keywords.names

    def claim_recent(self) -> int:
        """Return the lowest UID nobody was told of as recent, and take it and all above.

        The files move from new to cur with the next piece of work.
        """
        first = self._folder.first_recent
        self._folder.first_recent = max(first, self.columns.uidnext)
        return first

    async def refresh(self) -> None:
        """Look for what other programs did, and ring the bell for it."""
        watched = self._live.watched
        if watched is None:
            await self._account.perform(_refresh, self._folder)
        else:
            await watched.refresh()

    async def measure(self, uids: Sequence[int]) -> None:
        """See to it that the columns tell date and size of these messages."""
        unknown = self.columns.unmeasured(uids)
        for start in range(0, len(unknown), PIECE):
            await self._account.perform(_measure, self._folder, unknown[start : start + PIECE])

    # ------------------------------------------------------------ alterations

    async def mark(
        self,
        uids: Sequence[int],
        how: How,
        flags: Flags,
        unchanged_since: int | None = None,
    ) -> tuple[int, ...]:
        """Alter flags; return the UIDs refused for being changed since."""
        return await self._account.perform(_mark, self._folder, uids, how, flags, unchanged_since)

    async def copy(self, uids: Sequence[int], target: str) -> CopyResult:
        """Copy messages, all or none."""
        await self._account.measure_for_claim()
        return await self._account.perform(_transfer, self._folder, append_copy.copy, uids, target)

    async def move(self, uids: Sequence[int], target: str) -> CopyResult:
        """Move messages, all or none."""
        return await self._account.perform(_transfer, self._folder, move.move, uids, target)

    async def expunge(self, uids: Sequence[int]) -> tuple[int, ...]:
        """Remove messages; return the ascending UIDs of those that were there."""
        removed, error = await self._account.perform(_expunge, self._folder, uids)
        if error is not None:
            raise unavailable(error) from error
        return removed

    # ------------------------------------------------------------ contents

    async def items(self, uids: Sequence[int]) -> Sequence[RenderedItems | None]:
        """Return the rendered items, in the order asked; None where a message is gone."""
        render = self._account.render
        found = await self._account.perform(_known_items, self._folder, uids, render.version)
        missing = [uid for uid, items in found.items() if items is None]
        while missing:
            done, made = await self._account.perform(_render_items, self._folder, missing, render)
            found.update(made)
            missing = missing[done:]
        return [found.get(uid) for uid in uids]

    async def identities(self, uids: Sequence[int]) -> Sequence[MessageIdentity | None]:
        """Return what messages are called, in the order asked; None where one is gone."""
        found = await self._account.perform(_identities, self._folder, uids)
        return [found.get(uid) for uid in uids]

    async def threads(self, uids: Sequence[int]) -> Sequence[str | None]:
        """Return the threads of messages, in the order asked; None where one is gone."""
        found = await self._account.thread_assignment.threads(self._folder, uids)
        return [found.get(uid) for uid in uids]

    async def read(self, pieces: Sequence[MessageRange]) -> Sequence[bytes | None]:
        """Return ranges of messages; None where a message is gone."""
        return await self._account.perform(_read, self._folder, pieces)

    async def matching(self, uids: Sequence[int], what: Contains) -> frozenset[int]:
        """Return those of the UIDs whose messages hold the substring."""
        return await self._account.search.matching(self._folder, uids, what)

    # ------------------------------------------------------------ watching

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Hand every Change of this mailbox to ``watcher``, until ended or closed."""
        end = self._account.change_feed.watch(watcher, self.name)
        self._ends.append(end)
        return end

    def close(self) -> None:
        """Give the mailbox back; its watchers hear no more."""
        while self._ends:
            self._ends.pop()()
        if not self._is_closed:
            self._is_closed = True
            self._account.release(self._live)


# ---------------------------------------------------------------- in the lane


def _refresh(tree: Tree, folder: Folder) -> None:
    with tree.unit_of_work() as work:
        scan(folder, work)


def _measure(tree: Tree, folder: Folder, uids: Sequence[int]) -> None:
    with tree.unit_of_work() as work:
        measure(folder, work, uids)


def _mark(
    tree: Tree,
    folder: Folder,
    uids: Sequence[int],
    how: How,
    flags: Flags,
    unchanged_since: int | None,
) -> tuple[int, ...]:
    with tree.unit_of_work() as work:
        return set_flags.mark(folder, work, uids, how, flags, unchanged_since)


def _transfer(
    tree: Tree,
    folder: Folder,
    act: Callable[[Folder, Folder, UnitOfWork, Sequence[int]], CopyResult],
    uids: Sequence[int],
    name: str,
) -> CopyResult:
    with tree.unit_of_work() as work:
        folder.state(work)
        return act(folder, tree.target(name), work, uids)


def _expunge(
    tree: Tree, folder: Folder, uids: Sequence[int]
) -> tuple[tuple[int, ...], OSError | None]:
    with tree.unit_of_work() as work:
        return set_flags.expunge(folder, work, uids)


def _read(tree: Tree, folder: Folder, pieces: Sequence[MessageRange]) -> list[bytes | None]:
    with tree.unit_of_work() as work:
        return contents.read(folder, work, pieces, _rescan(folder, work))


def _rescan(folder: Folder, work: UnitOfWork) -> Callable[[], object]:
    return partial(scan, folder, work, is_forced=True)


def _identities(tree: Tree, folder: Folder, uids: Sequence[int]) -> dict[int, MessageIdentity]:
    with tree.unit_of_work() as work:
        rows = work.index.rows(folder.state(work), uids)
        strange = [row for row in rows if filename.saved(row.base) is None]
        dates = {row.uid: row.date for row in all_measured(folder, work, strange)}
        return {
            row.uid: MessageIdentity(
                filename.email_id(row.base), filename.saved(row.base) or dates[row.uid]
            )
            for row in rows
        }


def _known_items(
    tree: Tree, folder: Folder, uids: Sequence[int], version: int
) -> dict[int, RenderedItems | None]:
    with tree.unit_of_work() as work:
        return contents.known_items(folder, work, uids, version)


def _render_items(
    tree: Tree, folder: Folder, uids: Sequence[int], render: Renderer
) -> tuple[int, dict[int, RenderedItems]]:
    """Render a batch from the front of the UIDs; return its length, and what was made."""
    with tree.unit_of_work() as work:
        number, batch = contents.batch(folder, work, uids)
        rescan, wholes = _rescan(folder, work), tree.environment.memory_limit
        made = contents.render_items(folder, work, batch, render, rescan, wholes)
        return number, made
