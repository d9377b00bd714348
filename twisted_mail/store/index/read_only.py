"""Reading an account's index without altering it, while others may be writing."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

import apsw

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import exists, read_file
from twisted_mail.store.format import keywords
from twisted_mail.store.index import blocks, schema
from twisted_mail.store.index.blocks import Block
from twisted_mail.store.index.connections import connect_to_read
from twisted_mail.store.index.rows import Row

_BUSY_MILLISECONDS = 5000
_ROWS = (
    "SELECT uid, base, tail, flags, modseq, date, size, stored FROM entries WHERE mailbox = ?"
    " ORDER BY uid"
)


class IndexedMailbox(NamedTuple):
    """What the index knows of one mailbox; ``letters`` are those of its keywords."""

    uidvalidity: int
    uidnext: int
    rows: list[Row]
    letters: dict[str, str]


@dataclass(slots=True)
class IndexSnapshot:
    """What an index says, by the folders of mailboxes; ``fault`` is why it cannot be used."""

    known: dict[bytes, IndexedMailbox] = field(default_factory=dict)
    fault: str = ""


def read_index(disk: Disk, account: bytes) -> IndexSnapshot:
    """Read the index of an account; one that is missing knows nothing, and is no fault."""
    path = os.path.join(account, b"index.sqlite3")
    if not exists(disk, path):
        return IndexSnapshot()
    try:
        connection = connect_to_read(disk, path)
        try:
            connection.set_busy_timeout(_BUSY_MILLISECONDS)
            return _read(disk, account, connection)
        finally:
            connection.close()
    except apsw.Error as error:
        return IndexSnapshot(fault=f"the index is damaged: {error}")


def _read(disk: Disk, account: bytes, connection: apsw.Connection) -> IndexSnapshot:
    version = connection.pragma("user_version")
    if not isinstance(version, int) or version > schema.VERSION:
        return IndexSnapshot(fault="the index was written by a later version of this program")
    if version < schema.VERSION:
        return IndexSnapshot()  # an earlier version's, which is brought up to date at its next use
    fault = connection.pragma("quick_check")
    if fault != "ok":
        return IndexSnapshot(fault=f"the index is damaged: {str(fault).splitlines()[0]}")
    found = IndexSnapshot()
    with connection:  # one moment
        mailboxes = list(
            connection.execute("SELECT id, folder, uidvalidity, uidnext FROM mailboxes")
        )
        for number, folder, uidvalidity, uidnext in mailboxes:
            rows = [_row(values) for values in connection.execute(_ROWS, (number,))]
            for block in blocks.apart(connection, number, 0, blocks.HIGHEST):
                rows += _block_rows(block)
            rows.sort(key=itemgetter(0))
            letters = _letters(disk, os.path.join(account, b"Maildir", folder))
            found.known[folder] = IndexedMailbox(uidvalidity, uidnext, rows, letters)
    return found


def _row(values: tuple[object, ...]) -> Row:
    uid, base, tail, text, *rest = values
    flags = flag.intern(frozenset(str(text).split()))
    return Row(uid, base, tail, flags, *rest)  # type: ignore[arg-type]


def _block_rows(block: Block) -> Iterator[Row]:
    """Yield messages that are no rows yet."""
    for entry, (base, tail) in zip(block.unpack(), block.files(), strict=True):
        yield Row(entry.uid, base, tail, entry.flags, entry.modseq, entry.date, entry.size, 0)


def _letters(disk: Disk, folder: bytes) -> dict[str, str]:
    letters = keywords.parse(read_file(disk, os.path.join(folder, keywords.FILE)) or b"")
    return {name: letter for letter, name in letters.items()}
