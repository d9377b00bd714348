r"""Batches of messages: what the client knows and the store still has, as columns."""

from collections.abc import Sequence

from twisted_mail.imap.fetch.item import FetchBatch
from twisted_mail.imap.selected import Selected


def batch_of(selected: Selected, uids: Sequence[int]) -> FetchBatch:
    r"""Return the columns of ascending UIDs that the client knows, as they are at this moment.

    Messages that are gone from the store are left out. Flags have ``\Recent`` where this session has.
    """
    columns, view = selected.mailbox.columns, selected.view
    rows = columns.rows(uids)
    if isinstance(rows, range):
        together = slice(rows.start, rows.stop)
        flags = columns.flags[together]
        dates: Sequence[int] = columns.dates[together]
        sizes: Sequence[int] = columns.sizes[together]
    else:
        uids = [columns.uids[row] for row in rows]
        flags = [columns.flags[row] for row in rows]
        dates = [columns.dates[row] for row in rows]
        sizes = [columns.sizes[row] for row in rows]
    return FetchBatch(view.numbers(uids), uids, view.with_recent(uids, flags), dates, sizes)
