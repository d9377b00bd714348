"""Rows dropped from columns: those of messages that are gone, of one or of thousands."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from typing import Any

DELETED_SINGLY = 64  # runs of rows that are quicker deleted one by one than the rest is copied


def drop_rows(columns: "Iterable[array[int] | list[Any]]", rows: Sequence[int]) -> None:
    """Delete ascending rows from columns of one length, in place."""
    runs = list(_runs(rows))
    if len(runs) > DELETED_SINGLY:
        _keep_others(columns, rows)
        return
    for column in columns:
        for run in reversed(runs):
            del column[run]


def _runs(rows: Sequence[int]) -> Iterator[slice]:
    """Yield where ascending rows stand together."""
    at = 0
    while at < len(rows):
        start = end = at
        while end < len(rows) and rows[end] - rows[start] == end - start:
            end += 1
        yield slice(rows[start], rows[end - 1] + 1)
        at = end


def _keep_others(columns: "Iterable[array[int] | list[Any]]", rows: Sequence[int]) -> None:
    kept: bytearray | None = None
    for column in columns:
        if kept is None:
            kept = bytearray(b"\1") * len(column)
            for row in rows:
                kept[row] = 0
        others = compress(column, kept)
        if isinstance(column, array):
            column[:] = array(column.typecode, others)
        else:
            column[:] = others
