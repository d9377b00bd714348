r"""Batches of messages: what the client knows and the store still has, as columns."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twisted_mail.imap.fetch.plan import FetchBatch, with_recent
from twisted_mail.mail.mailbox.entry import EntryColumns
from twisted_mail.mail.outcome import Refused

if TYPE_CHECKING:
    from twisted_mail.imap.session import ImapSession


def batch_of(session: "ImapSession", uids: Sequence[int]) -> FetchBatch:
    r"""Return the columns of ascending UIDs that the client knows, as they are at this moment.

    Messages that are gone from the store are left out. Flags have ``\Recent`` where this session has.
    """
    batch = _columns(session, uids)
    is_recent = session.view.is_recent
    if session.view.recent_count:
        batch.flags = [
            with_recent(flags) if is_recent(uid) else flags
            for uid, flags in zip(batch.uids, batch.flags, strict=True)
        ]
    return batch


def _columns(session: "ImapSession", uids: Sequence[int]) -> FetchBatch:
    columns = session.mailbox.columns
    rows = _rows(columns, uids)
    if isinstance(rows, range):
        here = slice(rows.start, rows.stop)
        return FetchBatch(
            _numbers(session, uids),
            uids,
            columns.flags[here],
            columns.dates[here],
            columns.sizes[here],
        )
    present = [columns.uids[row] for row in rows]
    return FetchBatch(
        _numbers(session, present),
        present,
        [columns.flags[row] for row in rows],
        [columns.dates[row] for row in rows],
        [columns.sizes[row] for row in rows],
    )


def _rows(columns: EntryColumns, uids: Sequence[int]) -> Sequence[int]:
    """Return the rows of the UIDs that are there; a range when they are all together."""
    if not uids:
        return range(0)
    first, last = columns.row(uids[0]), columns.row(uids[-1])
    if first is not None and last is not None and last - first == len(uids) - 1:
        return range(first, last + 1)
    return [row for row in map(columns.row, uids) if row is not None]


def _numbers(session: "ImapSession", uids: Sequence[int]) -> Sequence[int]:
    """Return the sequence numbers of UIDs, which ascend as the UIDs do."""
    if not uids:
        return ()
    first, last = session.view.number(uids[0]), session.view.number(uids[-1])
    if first is not None and last is not None and last - first == len(uids) - 1:
        return range(first, last + 1)
    return [number for number in map(session.view.number, uids) if number is not None]


# ---------------------------------------------------------------- what commands insist on


def require_writable(session: "ImapSession") -> None:
    """Raise Refused when the mailbox is selected for reading only."""
    if session.is_read_only:
        raise Refused("The mailbox is selected for reading only.", "READ-ONLY")


def require_all_present(uids: Sequence[int], batch: FetchBatch) -> None:
    """Raise Refused when some of the messages asked for by number are gone (RFC 5530 §3)."""
    if len(batch.uids) < len(uids):
        raise Refused("Some of the messages are no longer there.", "EXPUNGEISSUED")
