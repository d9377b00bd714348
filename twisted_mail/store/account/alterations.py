"""Alterations of thousands of messages, some at a time, so that others have their turn in the lane."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.entry import CopyResult
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.mail.outcome import MailError
from twisted_mail.store.quota import Usage
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work import expunge as removal
from twisted_mail.store.work import set_flags
from twisted_mail.store.work.expunge import Expunged
from twisted_mail.store.work.lane import AccountLane
from twisted_mail.store.work.reconcile import scan
from twisted_mail.store.work.set_flags import How, MarkedMessages, admit, combined
from twisted_mail.store.work.transfer import copy as copying
from twisted_mail.store.work.transfer import move as moving
from twisted_mail.store.work.transfer import unfinished_copy
from twisted_mail.store.work.transfer.copy import Pairs
from twisted_mail.store.work.transfer.move import MovedMessages
from twisted_mail.store.work.transfer.unfinished_copy import UnfinishedCopy
from twisted_mail.store.work.usage import claim

# Messages; by 250, marking 8,192 takes an eighth more of the processor than in one go.
AT_ONCE = 500


def _parts(uids: Iterable[int]) -> Iterator[list[int]]:
    """Yield the UIDs, ascending, some at a time."""
    ordered = sorted(set(uids))
    for start in range(0, len(ordered), AT_ONCE):
        yield ordered[start : start + AT_ONCE]


def alters_nothing(columns: EntryColumns, uids: Sequence[int], how: How, flags: Flags) -> bool:
    """Return whether a few messages are known to have their flags as asked for already.

    Keywords are compared as they are spelled: of others that are to be removed nothing is known here.
    """
    if len(uids) > AT_ONCE or (how == "remove" and flag.keywords(flags)):
        return False
    for row in map(columns.row, uids):
        if row is not None and combined(columns.flags[row], how, flags) != columns.flags[row]:
            return False
    return True


@asynccontextmanager
async def _made_durable(make: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Make durable at the end what was done, also when not all of it could be."""
    try:
        yield
    except MailError:
        with suppress(MailError):
            await make()
        raise
    await make()


async def mark(
    lane: AccountLane,
    folder: Folder,
    uids: Sequence[int],
    how: How,
    flags: Flags,
    unchanged_since: int | None,
) -> tuple[int, ...]:
    """Alter flags, durably; return the UIDs refused for being changed since."""
    if len(uids) <= AT_ONCE:
        return await lane.perform_on(folder, set_flags.mark, uids, how, flags, unchanged_since)
    return await _mark_in_pieces(lane, folder, uids, how, flags, unchanged_since)


async def _mark_in_pieces(
    lane: AccountLane,
    folder: Folder,
    uids: Sequence[int],
    how: How,
    flags: Flags,
    unchanged_since: int | None,
) -> tuple[int, ...]:
    marked = MarkedMessages()
    async with _made_durable(lambda: lane.perform_on(folder, set_flags.make_durable, marked)):
        for part in _parts(uids):
            marked += await lane.perform_on(
                folder, set_flags.mark_some, part, how, flags, unchanged_since
            )
    return marked.refused


async def copy(
    lane: AccountLane, source: Folder, uids: Sequence[int], name: str, flags: Flags, size: Usage
) -> CopyResult:
    """Copy messages to the mailbox of this name, all or none.

    ``flags`` are all that they have, and ``size`` is what they take at least.
    """
    if len(uids) == 1:
        return await lane.perform_on(source, _to_named, copying.copy, uids, name)
    if len(uids) <= AT_ONCE:
        return await lane.perform_on(source, unfinished_copy.copy, name, uids, flags)
    begun = await lane.perform_on(source, _begin_copy, name, flags, size)
    try:
        return await _copy_in_pieces(lane, source, uids, begun)
    except Exception:
        await _withdraw(lane, begun)
        raise
    finally:
        begun.release()


async def _withdraw(lane: AccountLane, begun: UnfinishedCopy) -> None:
    """Take a copy back that failed; if that cannot be done now, before anybody uses the account again."""
    try:
        await lane.perform_on(begun.target, unfinished_copy.withdraw, begun)
    except MailError:
        lane.tree.is_prepared = False


async def _copy_in_pieces(
    lane: AccountLane, source: Folder, uids: Sequence[int], begun: UnfinishedCopy
) -> CopyResult:
    target, pairs = begun.target, Pairs()
    for part in _parts(uids):
        pairs += await lane.perform_on(source, copying.copy_some, target, part, begun.names)
    await lane.perform_on(target, unfinished_copy.finish, begun)
    return copying.result(target, pairs)


async def expunge(lane: AccountLane, folder: Folder, uids: Sequence[int]) -> Expunged:
    """Remove messages, durably, also those that were removed before an error."""
    if len(uids) <= AT_ONCE:
        return await lane.perform_on(folder, removal.expunge, uids)
    expunged = Expunged()
    async with _made_durable(lambda: lane.perform_on(folder, removal.make_durable, expunged)):
        for part in _parts(uids):
            expunged += await lane.perform_on(folder, removal.expunge_some, part)
            if expunged.error is not None:
                break
    return expunged


async def move(
    lane: AccountLane, source: Folder, uids: Sequence[int], name: str, flags: Flags
) -> CopyResult:
    """Move messages to the mailbox of this name, durably; ``flags`` are all that they have.

    When some of thousands cannot be moved, those that were moved before stay so, and are returned with
    the error; it is raised where there are none.
    """
    if len(uids) <= AT_ONCE:
        return await lane.perform_on(source, _to_named, moving.move, uids, name)
    target = await lane.perform_on(source, _ready_target, name, flags)
    moved = MovedMessages(target.uidvalidity)
    failure: MailError | None = None
    try:
        for part in _parts(uids):
            moved += await lane.perform_on(source, moving.move_some, target, part)
    except MailError as error:
        if not moved.pairs:
            raise
        failure = error
    await lane.perform_on(source, moving.make_durable, target, moved)
    return replace(moved.result, error=failure)


# ---------------------------------------------------------------- in the lane

Transfer = Callable[[Folder, Folder, UnitOfWork, Sequence[int]], CopyResult]


def _to_named(
    source: Folder, work: UnitOfWork, act: Transfer, uids: Sequence[int], name: str
) -> CopyResult:
    """Copy or move messages to the mailbox of this name."""
    mailbox_row(source, work)
    return act(source, work.tree.target(name), work, uids)


def _begin_copy(
    source: Folder, work: UnitOfWork, name: str, flags: Flags, size: Usage
) -> UnfinishedCopy:
    """Begin a copy of thousands of messages, unless it is known that there is no room for all."""
    begun = unfinished_copy.begin(source, work, name, flags)
    claim(work, size)
    return begun


def _ready_target(source: Folder, work: UnitOfWork, name: str, flags: Flags) -> Folder:
    """Return the mailbox of this name. Raises Refused, also if no messages there can have such flags."""
    mailbox_row(source, work)
    target = work.tree.target(name)
    admit(target, work, scan(target, work), flags)
    return target
