r"""Batches of messages: what the client knows and the store still has, as columns."""

from collections.abc import Sequence

from twisted_mail.imap.fetch.plan import FetchBatch, with_recent
from twisted_mail.imap.selected import Selected
from twisted_mail.mail.mailbox.entry import EntryColumns


def batch_of(selected: Selected, uids: Sequence[int]) -> FetchBatch:
    r"""Return the columns of ascending UIDs that the client knows, as they are at this moment.

    Messages that are gone from the store are left out. Flags have ``\Recent`` where this session has.
    """
    batch = _columns(selected, uids)
    is_recent = selected.view.is_recent
    if selected.view.recent_count:
        batch.flags = [
            with_recent(flags) if is_recent(uid) else flags
            for uid, flags in zip(batch.uids, batch.flags, strict=True)
        ]
    return batch


def _columns(selected: Selected, uids: Sequence[int]) -> FetchBatch:
    columns = selected.mailbox.columns
    rows = _rows(columns, uids)
    if isinstance(rows, range):
        here = slice(rows.start, rows.stop)
        return FetchBatch(
            _numbers(selected, uids),
            uids,
            columns.flags[here],
            columns.dates[here],
            columns.sizes[here],
        )
    present = [columns.uids[row] for row in rows]
    return FetchBatch(
        _numbers(selected, present),
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


def _numbers(selected: Selected, uids: Sequence[int]) -> Sequence[int]:
    """Return the sequence numbers of UIDs, which ascend as the UIDs do."""
    if not uids:
        return ()
    first, last = selected.view.number(uids[0]), selected.view.number(uids[-1])
    if first is not None and last is not None and last - first == len(uids) - 1:
        return range(first, last + 1)
    return [number for number in map(selected.view.number, uids) if number is not None]
