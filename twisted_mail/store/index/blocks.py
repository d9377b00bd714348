"""Blocks: thousands of messages of a mailbox in one row of the index.

What opening a mailbox needs, its columns, is read from blocks and not row by row. A block is a copy
of the rows of its range of UIDs: it is forgotten when one of them is altered, and made again at the
next opening. Where thousands of messages appear at once, the block is all there is at first: it is
``apart``, and has the names of the files, until somebody needs one of its rows and they are made of it.
"""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import apsw

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import Flags

SIZE = 4096  # messages in one block
LEAST = 1024  # fewer are not worth it
HIGHEST = 1 << 62  # above all UIDs
_SOUGHT_SINGLY = 2  # names that are quicker looked for one by one
_OCTETS = 8 + 2 + 8 + 8 + 8  # of one message: UID, number of its flags, mod-sequence, date, size

TABLE = """
CREATE TABLE parcels (
    mailbox INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    is_apart INTEGER NOT NULL,
    has_new INTEGER NOT NULL,
    flags TEXT NOT NULL,
    columns BLOB NOT NULL,
    names BLOB NOT NULL,
    PRIMARY KEY (mailbox, first)
);
"""


class Block(NamedTuple):
    """One row: the UIDs of its first and last message, and what it holds."""

    first: int
    last: int
    flags: str
    columns: bytes
    names: bytes

    def unpack(self) -> EntryColumns:
        """Return the messages' columns."""
        found = EntryColumns()
        unpack(found, self.flags, self.columns)
        return found

    def files(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield base and tail of each message, if the block is apart."""
        parts = self.names.split(b"\n")
        return zip(parts[0:-1:2], parts[1::2], strict=True)


# ---------------------------------------------------------------- packing


def pack(columns: EntryColumns, start: int, stop: int) -> tuple[str, bytes]:
    """Return the different sets of flags of some rows, a line for each, and all else."""
    flags = columns.flags[start:stop]
    number_of = {one: number for number, one in enumerate(dict.fromkeys(flags))}
    packed = (
        columns.uids[start:stop],
        array("H", list(map(number_of.__getitem__, flags))),
        columns.modseqs[start:stop],
        columns.dates[start:stop],
        columns.sizes[start:stop],
    )
    return "\n".join(map(text_of, number_of)), b"".join(map(_octets, packed))


def text_of(flags: Flags) -> str:
    """Return flags as the index writes them."""
    return " ".join(sorted(flags))


def _octets(values: "array[int]") -> bytes:
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()


def unpack(columns: EntryColumns, flags: str, data: bytes) -> None:
    """Append packed rows to columns."""
    number = len(data) // _OCTETS
    sets = list(map(flag.split, flags.split("\n")))
    chosen = array("H")
    at = 0
    for column in (columns.uids, chosen, columns.modseqs, columns.dates, columns.sizes):
        size = number * column.itemsize
        column.extend(_values(column.typecode, data[at : at + size]))
        at += size
    columns.flags.extend(map(sets.__getitem__, chosen))


def _values(typecode: str, data: bytes) -> "array[int]":
    values: array[int] = array(typecode, data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


# ---------------------------------------------------------------- the table


def put(connection: apsw.Connection, mailbox: int, columns: EntryColumns) -> None:
    """Make blocks of the columns of adjoining messages, which are rows already."""
    for start in range(0, len(columns), SIZE):
        stop = min(start + SIZE, len(columns))
        if stop - start >= LEAST:
            _insert(connection, mailbox, columns, start, stop, b"", has_new=False)


def put_unexpanded(
    connection: apsw.Connection,
    mailbox: int,
    columns: EntryColumns,
    bases: Sequence[bytes],
    tails: Sequence[bytes],
) -> None:
    """Make blocks of messages that are no rows yet."""
    for start in range(0, len(columns), SIZE):
        stop = min(start + SIZE, len(columns))
        names: list[bytes] = [b""] * (2 * (stop - start))
        names[::2] = bases[start:stop]
        names[1::2] = tails[start:stop]
        has_new = any(tail.startswith(b"n") for tail in dict.fromkeys(names[1::2]))
        joined = b"\n".join([*names, b""])
        _insert(connection, mailbox, columns, start, stop, joined, has_new)


def _insert(
    connection: apsw.Connection,
    mailbox: int,
    columns: EntryColumns,
    start: int,
    stop: int,
    names: bytes,
    has_new: bool,
) -> None:
    ends = columns.uids[start], columns.uids[stop - 1]
    connection.execute(
        "INSERT INTO parcels VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (mailbox, *ends, bool(names), has_new, *pack(columns, start, stop), names),
    )


def ranges(connection: apsw.Connection, mailbox: int) -> list[tuple[int, int, str]]:
    """Return first UID, last UID and flags of all blocks, ascending."""
    found: list[Any] = connection.execute(
        "SELECT first, last, flags FROM parcels WHERE mailbox = ? ORDER BY first", (mailbox,)
    ).fetchall()
    return found


def all_blocks(connection: apsw.Connection, mailbox: int) -> Iterator[Block]:
    """Yield all blocks, ascending, without the names."""
    found = connection.execute(
        "SELECT first, last, flags, columns, x'' FROM parcels WHERE mailbox = ? ORDER BY first",
        (mailbox,),
    )
    return (Block(*values) for values in found)


def apart(
    connection: apsw.Connection, mailbox: int, low: int, high: int, is_new: bool = False
) -> list[Block]:
    """Return blocks that are no rows yet and overlap a range of UIDs, ascending."""
    found = connection.execute(
        "SELECT first, last, flags, columns, names FROM parcels WHERE mailbox = ?"
        " AND is_apart AND last >= ? AND first <= ? AND has_new >= ? ORDER BY first",
        (mailbox, low, high, is_new),
    )
    return [Block(*values) for values in found]


def next_unexpanded(connection: apsw.Connection, mailbox: int, low: int) -> Block | None:
    """Return the first block that is no rows yet and has UIDs from ``low`` on."""
    found: Any = connection.execute(
        "SELECT first, last, flags, columns, names FROM parcels WHERE mailbox = ?"
        " AND is_apart AND last >= ? ORDER BY first LIMIT 1",
        (mailbox, low),
    ).fetchone()
    return None if found is None else Block(*found)


def naming_files(connection: apsw.Connection, mailbox: int, bases: Collection[bytes]) -> list[int]:
    """Return the first UIDs of blocks that are no rows yet and have files of these base names."""
    found: Any = connection.execute(
        "SELECT first, names FROM parcels WHERE mailbox = ? AND is_apart", (mailbox,)
    )
    return [first for first, names in found if _has(names, bases)]


def _has(names: bytes, bases: Collection[bytes]) -> bool:
    if len(bases) <= _SOUGHT_SINGLY:
        lines = b"\n" + names
        return any(b"\n%b\n" % base in lines for base in bases)
    return not set(names.split(b"\n")).isdisjoint(bases)


def newer(connection: apsw.Connection, mailbox: int, modseq: int) -> list[int]:
    """Return the first UIDs of blocks that are no rows yet and were altered after a mod-sequence."""
    found: Any = connection.execute(
        "SELECT first, columns FROM parcels WHERE mailbox = ? AND is_apart", (mailbox,)
    )
    return [first for first, columns in found if _highest_modseq(columns) > modseq]


def _highest_modseq(columns: bytes) -> int:
    number = len(columns) // _OCTETS
    return max(_values("Q", columns[10 * number : 18 * number]))


def join(connection: apsw.Connection, mailbox: int, block: Block) -> None:
    """Note that a block's messages are rows now."""
    connection.execute(
        "UPDATE parcels SET is_apart = 0, names = x'' WHERE mailbox = ? AND first = ?",
        (mailbox, block.first),
    )


def forget(connection: apsw.Connection, mailbox: int, uids: Sequence[int]) -> None:
    """Forget the blocks of messages that are altered, and are rows."""
    if not uids:
        return
    uids = sorted(uids)
    found: list[Any] = connection.execute(
        "SELECT first, last FROM parcels WHERE mailbox = ? AND last >= ? AND first <= ?",
        (mailbox, uids[0], uids[-1]),
    ).fetchall()
    for first, last in found:
        at = bisect_left(uids, first)
        if at < len(uids) and uids[at] <= last:
            connection.execute(
                "DELETE FROM parcels WHERE mailbox = ? AND first = ?", (mailbox, first)
            )
