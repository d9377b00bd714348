"""Giving messages their threads, when somebody asks for one (RFC 8474 §5.2).

Then all newcomers of the account are placed, the oldest first, whatever mailboxes they are in: so the
same threads come of it when the index was lost. Nothing of this is on the delivery path.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from twisted_mail.store.format import filename
from twisted_mail.store.index import thread_keys
from twisted_mail.store.index.rows import Row
from twisted_mail.store.reading import contents
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.skip_unusable import unless_unusable
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.lane import AccountLane
from twisted_mail.store.work.reconcile import scan

ALL = -1  # as SQLite's LIMIT
PIECE = 100  # messages placed before others have their turn


class UnthreadedMessage(NamedTuple):
    """A message that may not be placed yet. Base names sort by age, as far as they show it."""

    base: bytes
    folder: bytes
    uid: int


class UnthreadedMessages(NamedTuple):
    """Messages that came since messages were last placed, and up to which UID, by mailbox."""

    messages: list[UnthreadedMessage]
    reached: list[tuple[int, int]]  # the mailbox's number, and the UID


class ThreadAssignment:
    """The threads of one account's messages, on the reactor thread."""

    def __init__(self, lane: AccountLane) -> None:
        self._lane = lane
        self._is_busy = False

    async def threads(self, folder: Folder, uids: Sequence[int]) -> dict[int, str]:
        """Return the threads of messages that are there, by UID."""
        if not self._is_busy:  # else whoever is at it goes on with the others
            self._is_busy = True
            try:
                await self._catch_up()
            finally:
                self._is_busy = False
        found: dict[int, str] = {}
        for start in range(0, len(uids), PIECE):
            some = uids[start : start + PIECE]
            found |= await self._lane.perform_on(folder, _threads, some)
        return found

    async def _catch_up(self) -> None:
        messages, reached = await self._lane.perform(_unthreaded)
        for start in range(0, len(messages), PIECE):
            await self._lane.perform(_assign_some, messages[start : start + PIECE])
        if reached:
            await self._lane.perform(_reached, reached)


# ---------------------------------------------------------------- in the account's lane


def _unthreaded(tree: Tree, work: UnitOfWork) -> UnthreadedMessages:
    if not work.index.threads.has_begun:
        for coded in tree.mailboxes().values():
            folder = tree.folder(coded)
            unless_unusable(tree, folder, partial(scan, folder, work))
        work.index.mailboxes.save()
        work.index.threads.begin()
    found = UnthreadedMessages([], [])
    for coded, last in work.index.threads.unassigned():
        folder = tree.folder(coded)
        unless_unusable(tree, folder, partial(_look, folder, work, last, found))
    found.messages.sort()
    return found


def _look(folder: Folder, work: UnitOfWork, last: int, found: UnthreadedMessages) -> None:
    state = mailbox_row(folder, work)
    names = work.index.identities(state, last, ALL)
    found.messages.extend([UnthreadedMessage(base, folder.folder, uid) for uid, base, _ in names])
    found.reached.append((state.id, state.uidnext - 1))


def _reached(tree: Tree, work: UnitOfWork, mailboxes: Sequence[tuple[int, int]]) -> None:
    work.index.threads.reached(mailboxes)


def _assign_some(tree: Tree, work: UnitOfWork, some: Sequence[UnthreadedMessage]) -> None:
    emails = [filename.email_id(one.base) for one in some]
    known = work.index.threads.of(emails)
    new = [(one, email) for one, email in zip(some, emails, strict=True) if email not in known]
    names: dict[tuple[bytes, int], tuple[int, ...]] = {}
    for coded in {one.folder for one, _ in new}:
        uids = [one.uid for one, _ in new if one.folder == coded]
        folder = tree.folder(coded)
        named = unless_unusable(tree, folder, partial(_names, folder, work, uids))
        names |= {(coded, uid): each for uid, each in (named or {}).items()}
    for one, email in new:
        if (one.folder, one.uid) in names:
            _assign(work, email, names[one.folder, one.uid])


def _names(folder: Folder, work: UnitOfWork, uids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Read what messages, and those before them, are called."""

    def names(row: Row) -> tuple[int, ...]:
        stop = min(row.size, thread_keys.HEADER)
        return thread_keys.message_names(contents.read_range(folder, row, 0, stop))

    return contents.each(folder, work, contents.rows_of(folder, work, uids), names)


def _assign(work: UnitOfWork, email: str, names: Sequence[int]) -> None:
    if not work.index.threads.of([email]):  # its copy may just have been placed
        work.index.threads.assign(email, names)


def _threads(folder: Folder, work: UnitOfWork, uids: Sequence[int]) -> dict[int, str]:
    """Return threads by UID; messages that came since are placed."""
    rows = work.index.rows(mailbox_row(folder, work), uids)
    emails = {row.uid: filename.email_id(row.base) for row in rows}
    found = work.index.threads.of(emails.values())
    missing = [uid for uid, email in emails.items() if email not in found]
    for uid, names in _names(folder, work, missing).items() if missing else ():
        _assign(work, emails[uid], names)
    if missing:
        found = work.index.threads.of(emails.values())
    return {uid: found[email] for uid, email in emails.items() if email in found}
