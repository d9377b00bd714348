"""Which message files lie in a mailbox's folders, by base name.

Another program may rename any file at any moment, and a listing made meanwhile may show it twice or
not at all.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, starmap
from typing import NamedTuple

from twisted_mail.store.format import filename
from twisted_mail.store.tree.folder import Folder

_ATTEMPTS = 5
_PIECE = 4096  # names that are dealt with at once
_UNLISTED = b".:"  # with these, no listable name begins
_MARKS = (b"\n", *filename.INSTEAD_OF_COLON)

Parts = tuple[list[bytes], list[bytes]]  # bases and tails, pairwise


@dataclass(slots=True)
class FolderListing:
    """Tails by base name; ``twice`` are paths of files whose base names stand there already."""

    tails: dict[bytes, bytes]
    twice: list[tuple[bytes, bytes]]


class PlainListing(NamedTuple):
    """Bases and tails of files, pairwise, in the order of their names."""

    bases: list[bytes]
    tails: list[bytes]


def list_some(folder: Folder, *places: bytes) -> FolderListing:
    """List some of the places, in order. Files whose names fit on no line get other names."""
    found = FolderListing({}, [])
    for place in places:
        names = _names(folder, place)
        parts = starmap(zip, _parts(place[:1], names))
        files: dict[bytes, bytes] = dict(chain.from_iterable(parts))
        if len(files) < len(names) or not found.tails.keys().isdisjoint(files):
            _find_twice(folder, found, place, names)
        found.tails = found.tails | files if found.tails else files
    return found


def list_plainly(folder: Folder) -> PlainListing:
    """List new, then cur, once, as ``list_some`` does. A base name may stand there twice."""
    bases: list[bytes] = []
    tails: list[bytes] = []
    for place in (b"new", b"cur"):
        for some, their_tails in _parts(place[:1], _names(folder, place)):
            bases += some
            tails += their_tails
    return PlainListing(bases, tails)


def _names(folder: Folder, place: bytes) -> list[bytes]:
    """Return the names of a place's files, sorted: what follows is quicker with neighbours in memory."""
    names = folder.disk.files(folder.subfolder(place))
    names.sort()
    marks = _marks_of(names)
    if b"\n" in marks or any(_begins(names, first) for first in _UNLISTED):
        names = _listable(folder, place, names)
    if not marks.isdisjoint(filename.INSTEAD_OF_COLON):
        names = sorted(_with_colon(folder, place, name) for name in names)
    return names


def _pieces(names: list[bytes]) -> Iterator[list[bytes]]:
    """Yield as many names at once as fit, with what is made of them, into a processor's cache."""
    return (names[start : start + _PIECE] for start in range(0, len(names), _PIECE))


def _parts(letter: bytes, names: list[bytes]) -> Iterator[Parts]:
    """Yield bases and tails of some names at a time."""
    return (_parted(letter, piece) for piece in _pieces(names))


def _parted(letter: bytes, names: list[bytes]) -> Parts:
    """Return bases and tails. If each name has one colon, they take turns once colons begin lines."""
    lines = b"\n".join(names).replace(b":", b"\n%b:" % letter).split(b"\n")
    tails = lines[1::2]
    if len(lines) == 2 * len(names) and all(tail[1:2] == b":" for tail in set(tails)):
        return lines[::2], tails
    split = [filename.split(name) for name in names]
    return [base for base, _ in split], [letter + rest for _, rest in split]


def _find_twice(folder: Folder, found: FolderListing, place: bytes, names: list[bytes]) -> None:
    """Find base names that stand for two files."""
    there = dict(found.tails)
    for name in names:
        base, rest = filename.split(name)
        tail = place[:1] + rest
        if base in there:
            older = filename.path(folder.path, base, there[base])
            found.twice.append((older, filename.path(folder.path, base, tail)))
        there[base] = tail


def _marks_of(names: list[bytes]) -> set[bytes]:
    """Return which marks that names are looked at for may be in any of them."""
    texts = list(map(b"".join, _pieces(names)))
    return {mark for mark in _MARKS if any(mark in text for text in texts)}


def _begins(names: list[bytes], first: int) -> bool:
    """Return whether any of the sorted names begins with an octet."""
    at = bisect_left(names, bytes((first,)))
    return at < len(names) and names[at][0] == first


def _listable(folder: Folder, place: bytes, names: list[bytes]) -> list[bytes]:
    """Leave out names that cannot stand in a list, and give them others."""
    for name in names:
        if not filename.is_listable(name):
            _rename_strange(folder, place, name)
    return list(filter(filename.is_listable, names))


def _rename_strange(folder: Folder, place: bytes, name: bytes) -> None:
    """Give a file a name that fits on a line; it is listed the next time."""
    path = folder.subfolder(place) + b"/" + name
    try:
        found = None if name.startswith(b".") else folder.is_message(path)
        if found is not None:
            base = folder.namer.base(folder.clock.now(), found.st_size, 0).partition(b",")[0]
            folder.disk.rename(path, folder.subfolder(place) + b"/" + base)
    except FileNotFoundError:
        pass
    except OSError as error:
        folder.note_fault(path, error)


def _with_colon(folder: Folder, place: bytes, name: bytes) -> bytes:
    """Give a file from Windows a name whose letters all programs know; return its name now."""
    whole = filename.with_colon(name)
    if whole == name:
        return name
    path = folder.subfolder(place) + b"/"
    try:
        folder.disk.rename_to_free(path + name, path + whole)
    except (FileNotFoundError, FileExistsError):
        return name  # the next listing shows what is there
    except OSError as error:
        folder.note_fault(path + name, error)
        return name
    return whole


def list_all(folder: Folder) -> dict[bytes, bytes]:
    """List new, then cur, until no base name stands for two files."""
    for _ in range(_ATTEMPTS):
        found = list_some(folder, b"new", b"cur")
        if not found.twice:
            break
        for older, newer in found.twice:
            _part(folder, older, newer)
    return found.tails


def by_base(folder: Folder, files: PlainListing) -> dict[bytes, bytes]:
    """Return tails by base name; where one stands for two files, list anew until none does."""
    found = dict(zip(*files, strict=True))
    return found if len(found) == len(files.bases) else list_all(folder)


def _part(folder: Folder, one: bytes, other: bytes) -> None:
    """Settle that two files have one base name: two names of one file, or two messages."""
    try:
        _part_names(folder, one, other)
    except FileNotFoundError:
        pass  # it was renamed just now
    except OSError as error:
        folder.note_fault(one, error)


def _part_names(folder: Folder, one: bytes, other: bytes) -> None:
    stats = folder.is_message(one), folder.is_message(other)
    if stats[0] is None or stats[1] is None:
        return  # one was renamed while the listing was made
    if (stats[0].st_dev, stats[0].st_ino) == (stats[1].st_dev, stats[1].st_ino):
        folder.disk.unlink(one)
        return
    base = folder.namer.base(folder.clock.now(), stats[0].st_size, 0).partition(b",")[0]
    folder.disk.rename(one, folder.subfolder(b"new") + b"/" + base)
