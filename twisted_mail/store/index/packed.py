"""A mailbox's messages where blocks and rows hold them together.

A range of UIDs is in a block, in rows, or in both, and then they are equal (see ``blocks``).
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from typing import Any

import apsw

from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.store.index import blocks
from twisted_mail.store.index.blocks import Block
from twisted_mail.store.index.rows import INSERT, MailboxRow, flags_in, text_of


def columns(connection: apsw.Connection, state: MailboxRow) -> EntryColumns:
    """Return all messages of a mailbox, and keep them in blocks where that is worth it."""
    found = EntryColumns()
    last = 0
    for block in blocks.all_blocks(connection, state.id):
        _add_rows(connection, state, found, last, block.first)
        blocks.unpack(found, block.flags, block.columns)
        last = block.last
    _add_rows(connection, state, found, last, blocks.HIGHEST)
    found.uidnext, found.highest_modseq = state.uidnext, state.highest_modseq
    return found


def _add_rows(
    connection: apsw.Connection, state: MailboxRow, found: EntryColumns, low: int, high: int
) -> None:
    """Append the messages between two UIDs, where no blocks are, and make some if it is worth it."""
    rows: list[Any] = connection.execute(
        "SELECT uid, flags, modseq, date, size FROM entries"
        " WHERE mailbox = ? AND uid > ? AND uid < ? ORDER BY uid",
        (state.id, low, high),
    ).fetchall()
    if rows:
        uids, texts, modseqs, dates, sizes = zip(*rows, strict=True)
        fresh = EntryColumns(
            array("Q", uids),
            list(map(flags_in, texts)),
            array("Q", modseqs),
            array("q", dates),
            array("Q", sizes),
        )
        blocks.put(connection, state.id, fresh)
        found.add(fresh)


def names(connection: apsw.Connection, state: MailboxRow) -> dict[bytes, bytes]:
    """Return base names and tails of all messages of a mailbox."""
    rows: list[Any] = connection.execute(
        "SELECT base, tail FROM entries WHERE mailbox = ?", (state.id,)
    ).fetchall()
    found: dict[bytes, bytes] = dict(rows)
    if state.apart:
        for block in blocks.apart(connection, state.id, 0, blocks.HIGHEST):
            found.update(block.files())
    return found


def flag_sets(connection: apsw.Connection, state: MailboxRow) -> list[Flags]:
    """Return the different sets of flags that messages of a mailbox have."""
    texts: set[str] = set()
    last = 0
    for first, end, flags in blocks.ranges(connection, state.id):
        texts.update(flags.split("\n"), _texts(connection, state, last, first))
        last = end
    texts |= _texts(connection, state, last, blocks.HIGHEST)
    return list(map(flags_in, texts))


def _texts(connection: apsw.Connection, state: MailboxRow, low: int, high: int) -> set[str]:
    found: list[Any] = connection.execute(
        "SELECT DISTINCT flags FROM entries WHERE mailbox = ? AND uid > ? AND uid < ?",
        (state.id, low, high),
    ).fetchall()
    return {text for (text,) in found}


# ---------------------------------------------------------------- blocks that are apart


def join(
    connection: apsw.Connection,
    state: MailboxRow,
    low: int = 0,
    high: int = blocks.HIGHEST,
    is_new: bool = False,
) -> None:
    """Make rows of the blocks of a range of UIDs; ``is_new``: that have files in new."""
    if state.apart:
        for block in blocks.apart(connection, state.id, low, high, is_new):
            _expand(connection, state, block)


def expand_containing(connection: apsw.Connection, state: MailboxRow, uids: Sequence[int]) -> None:
    """Make rows of the blocks that have these messages."""
    if state.apart and uids:
        wanted = sorted(uids)
        for block in blocks.apart(connection, state.id, wanted[0], wanted[-1]):
            at = bisect_left(wanted, block.first)
            if wanted[at] <= block.last:
                _expand(connection, state, block)


def expand_named(connection: apsw.Connection, state: MailboxRow, bases: Collection[bytes]) -> None:
    """Make rows of the blocks that have files of these base names."""
    if state.apart and bases:
        for first in blocks.naming_files(connection, state.id, bases):
            join(connection, state, first, first)


def expand_newer(connection: apsw.Connection, state: MailboxRow, modseq: int) -> None:
    """Make rows of the blocks that have messages altered after a mod-sequence."""
    if state.apart:
        for first in blocks.newer(connection, state.id, modseq):
            join(connection, state, first, first)


def expand_next(connection: apsw.Connection, state: MailboxRow, after: int, number: int) -> None:
    """Make rows of as many blocks as the next messages after a UID can lie in; -1: all of them."""
    low = after + 1
    while state.apart and number != 0:
        block = blocks.next_unexpanded(connection, state.id, low)
        if block is None:
            return
        uids = _expand(connection, state, block).uids
        found = len(uids) - bisect_right(uids, after)
        number = max(number - found, 0) if number > 0 else number
        low = block.last + 1


def _expand(connection: apsw.Connection, state: MailboxRow, block: Block) -> EntryColumns:
    found = block.unpack()
    rows = zip(found, block.files(), strict=True)
    connection.executemany(
        INSERT,
        (
            (state.id, uid, base, tail, text_of(flags), modseq, date, size, 0)
            for (uid, flags, modseq, date, size), (base, tail) in rows
        ),
    )
    blocks.join(connection, state.id, block)
    state.apart -= len(found)
    return found
