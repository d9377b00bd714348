"""What a mailbox's list of UIDs and its index say that is not as its files are."""

import os
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE
from twisted_mail.mail.mailbox.numbers import MAX_NUMBER
from twisted_mail.store.format import filename, uidlist
from twisted_mail.store.index.read_only import IndexedMailbox
from twisted_mail.store.index.rows import Row


class StoreFinding(NamedTuple):
    """One thing: the mailbox (empty for the account), its kind, what it is in words, and its file."""

    mailbox: str
    kind: str
    text: str
    subject: bytes = b""


class MessageFile(NamedTuple):
    """One message file: its base name, tail, and path."""

    base: bytes
    tail: bytes
    path: bytes


def shown(name: bytes) -> str:
    """Return a file's name in words."""
    return os.fsdecode(name).encode("utf-8", "replace").decode()


# ---------------------------------------------------------------- lists of UIDs


def of_list(
    mailbox: str, data: bytes | None, known: IndexedMailbox | None
) -> Iterator[StoreFinding]:
    """Return what is wrong with a list of UIDs."""
    if data is None:
        if known is not None and known.rows:
            yield StoreFinding(mailbox, "list", "the list of UIDs is missing")
        return
    header, _, rest = data.partition(b"\n")
    listed = uidlist.parse(data)
    if listed is None:
        yield StoreFinding(mailbox, "list", "the list of UIDs has no valid first line")
        return
    if not header.startswith(b"3 "):
        return  # an older format, which is read as it is
    yield from _of_lines(mailbox, rest)
    if known is not None and listed.uidvalidity != known.uidvalidity:
        text = (
            f"the list of UIDs has UIDVALIDITY {listed.uidvalidity}, the index {known.uidvalidity}"
        )
        yield StoreFinding(mailbox, "list", text)


def _of_lines(mailbox: str, rest: bytes) -> Iterator[StoreFinding]:
    lines = rest.split(b"\n")
    if lines.pop():
        yield StoreFinding(mailbox, "list", "the last line of the list of UIDs is torn")
    highest = torn = falling = 0
    uids: Counter[int] = Counter()
    bases: Counter[bytes] = Counter()
    for line in lines:
        number, base = _record(line)
        uid = int(number) if number.isdigit() and len(number) <= 10 else 0
        if not base or not 0 < uid <= MAX_NUMBER:
            torn += 1
            continue
        falling += uid < highest
        highest = max(highest, uid)
        uids[uid] += 1
        bases[base] += 1
    twice = [uid for uid, number in uids.items() if number > 1]
    doubled = sum(number > 1 for number in bases.values())
    if torn:
        yield StoreFinding(mailbox, "list", f"{torn} lines of the list of UIDs cannot be read")
    if twice:
        some = ", ".join(map(str, twice[:5]))
        yield StoreFinding(mailbox, "list", f"UIDs stand for two messages each in the list: {some}")
    if doubled:
        yield StoreFinding(mailbox, "list", f"{doubled} messages stand in the list of UIDs twice")
    if falling:
        yield StoreFinding(mailbox, "list", f"UIDs fall {falling} times in the list of UIDs")


def _record(line: bytes) -> tuple[bytes, bytes]:
    """Return the UID, as it is written, and the base name of a line."""
    head, _, name = line.partition(b" :")
    return head.partition(b" ")[0], name.partition(b":")[0]


# ---------------------------------------------------------------- the index


def of_index(
    mailbox: str,
    known: IndexedMailbox,
    files: dict[bytes, MessageFile],
    sizes: dict[bytes, int],
    listed: uidlist.UidList | None,
) -> Iterator[StoreFinding]:
    """Return what the index says wrongly of messages; ``sizes`` are those of files, by base names."""
    letters = known.letters
    for row in known.rows:
        where = f"the message with UID {row.uid}"
        file = files.get(row.base)
        uid = None if listed is None else listed.uid(row.base)
        if file is None:
            text = f"{where} has no file: another program removed it, or it is lost"
            yield StoreFinding(mailbox, "missing", text, row.base)
            continue
        if listed is not None and listed.uidvalidity == known.uidvalidity and uid != row.uid:
            says = f"says {uid}" if uid else "does not know it"
            yield StoreFinding(mailbox, "uid", f"{where}: the list of UIDs {says}", row.base)
        size = sizes.get(row.base, row.stored)
        if row.date != UNKNOWN_DATE and row.stored != size:
            text = f"{where}: the index says {row.stored} octets, its file has {size}"
            yield StoreFinding(mailbox, "stored", text, row.base)
        if row.tail == file.tail and _expected_letters(row, letters) != {
            *filename.letters(row.tail)
        }:
            text = f"{where}: the index has other flags than the name of its file"
            yield StoreFinding(mailbox, "flags", text, row.base)


def _expected_letters(row: Row, letters: dict[str, str]) -> set[str]:
    """Return the letters that a row's flags ask for, with those nobody knows."""
    return {*filename.letters(filename.tail_of(row.flags, letters, row.tail))}
