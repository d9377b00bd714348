"""Alterations of thousands of messages, some at a time, so that others have their turn in the lane."""

from collections.abc import Sequence
from contextlib import suppress

from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.mail.outcome import MailError
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.work import set_flags
from twisted_mail.store.work.lane import AccountLane
from twisted_mail.store.work.set_flags import MARKED_AT_ONCE, How, MarkedMessages


async def mark(
    lane: AccountLane,
    folder: Folder,
    uids: Sequence[int],
    how: How,
    flags: Flags,
    unchanged_since: int | None,
) -> tuple[int, ...]:
    """Alter flags, durably; return the UIDs refused for being changed since."""
    if len(uids) <= MARKED_AT_ONCE:
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
    try:
        for start in range(0, len(uids), MARKED_AT_ONCE):
            part = uids[start : start + MARKED_AT_ONCE]
            marked += await lane.perform_on(
                folder, set_flags.mark_some, part, how, flags, unchanged_since
            )
    except MailError:  # those that were altered before stay so
        with suppress(MailError):
            await lane.perform_on(folder, set_flags.make_durable, marked)
        raise
    await lane.perform_on(folder, set_flags.make_durable, marked)
    return marked.refused
