"""Names of message files in a maildir: unique bases, sizes, and flags as letters.

A file is called ``cur/<base>:2,<letters>``; the base never changes, the letters are the flags. In the
index a file's name is kept as base and tail, where the tail is the place's first letter and what
follows the base: ``c:2,FS``. See maildir(5), and Dovecot for ``,S=`` (size of the file) and ``,W=``
(size on the wire); ``,E=`` is ours (EMAILID, of a copy).
"""

import hashlib
import itertools
import os
import random
import re
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import eq, itemgetter

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.flags import Flags

_LETTERS = {
    "D": flag.DRAFT,
    "F": flag.FLAGGED,
    "R": flag.ANSWERED,
    "S": flag.SEEN,
    "T": flag.DELETED,
}
_LETTER_OF = {name: letter for letter, name in _LETTERS.items()}
MARK = b"I"  # before the mark of an import, after what makes a name unique
KEYWORD_LETTERS = "abcdefghijklmnopqrstuvwxyz"

_SIZE = re.compile(rb",S=([0-9]{1,15})(?![^,:])")
_WIRE = re.compile(rb",W=([0-9]{1,15})(?![^,:])")
_EMAIL = re.compile(rb",E=([A-Za-z0-9_-]{1,64})(?![^,:])")
_SAVED = re.compile(rb"([1-9][0-9]{0,10})\.")
# Evolution and Python's mailbox module write "!" on Windows, isync ";" (InfoDelimiter), for no name there
# may have a colon.
_WITHOUT_COLON = re.compile(rb"([^:]+)[!;](2,[A-Za-z]*)", re.DOTALL)
INSTEAD_OF_COLON = b"!2,", b";2,"
_NUMBERS = re.compile(rb"[0-9]{1,20}")
_SECONDS = 11  # octets of it
_AGE = 60  # octets that hold a name's age


class Namer:
    """Makes base names that no other process, host or time makes.

    Seconds and microseconds, process, a counter, 64 random bits and the host: the clock may be set
    back and process numbers may return.
    """

    def __init__(self, host: str = "") -> None:
        host = host or socket.gethostname()
        escaped = host.replace("/", "\\057").replace(":", "\\072")
        self._host = re.sub(r"[^\x21-\x7e]|,", "_", escaped).encode()[:100]
        self._counter = itertools.count()

    def base(
        self, now: float, size: int, wire: int, mark: bytes = b"", original: bytes = b""
    ) -> bytes:
        """Return a new base name for a file of these sizes.

        ``mark`` is what an import knows it by, ``original`` is the base name of what it is a copy of.
        """
        seconds, fraction = divmod(max(0, int(now * 1_000_000)), 1_000_000)
        number, chance = (
            next(self._counter),
            random.getrandbits(64),
        )  # no system call, as urandom is
        unique = b"M%06dP%dQ%dR%016x" % (fraction, os.getpid(), number, chance)
        unique += MARK + mark if mark else b""
        email = b",E=" + email_id(original).encode() if original else b""
        return b"%d.%s.%s%s,S=%d,W=%d" % (seconds, unique, self._host, email, size, wire)

    def series(self, now: float) -> "NameSeries":
        """Return new base names for files that come together."""
        seconds, fraction = divmod(max(0, int(now * 1_000_000)), 1_000_000)
        before = b"%d.M%06dP%dQ" % (seconds, fraction, os.getpid())
        after = b"R%s.%s" % (os.urandom(8).hex().encode(), self._host)
        return NameSeries(before, after)


@dataclass(frozen=True, slots=True)
class NameSeries:
    """Base names as those of ``Namer``, of copies: all but the counter is the same, and no other's."""

    before: bytes
    after: bytes
    _counter: Iterator[int] = field(default_factory=itertools.count, compare=False)

    @classmethod
    def named(cls, name: bytes) -> "NameSeries":
        """Return the series of this name."""
        before, _, after = name.partition(b"QR")
        return cls(before + b"Q", b"R" + after)

    @property
    def name(self) -> bytes:
        """Return what the names have in common."""
        return self.before + self.after

    def base(self, size: int, wire: int, original: bytes) -> bytes:
        """Return the next base name, for a file of these sizes and a copy of the one of a base name."""
        values = (
            self.before,
            next(self._counter),
            self.after,
            email_id(original).encode(),
            size,
            wire,
        )
        return b"%s%d%s,E=%s,S=%d,W=%d" % values

    def has(self, name: bytes) -> bool:
        """Return whether the name of a file is one of the series."""
        return name.startswith(self.before) and self.after in name


def email_id(base: bytes) -> str:
    """Return the EMAILID of a message: that of the first message it is a copy of.

    What comes after the first comma may be corrected later, and does not count.
    """
    match = _EMAIL.search(base)
    if match:
        return match[1].decode("ascii")
    return hashlib.sha256(base.partition(b",")[0]).hexdigest()[:24]


def saved(base: bytes) -> int | None:
    """Return when a file was given its name, in seconds since 1970, if the name says so."""
    match = _SAVED.match(base)
    return int(match[1]) if match else None


def split(name: bytes) -> tuple[bytes, bytes]:
    """Return base and rest (from the first colon) of a file's name."""
    base, colon, rest = name.partition(b":")
    return base, colon + rest


def split_any(name: bytes) -> tuple[bytes, bytes]:
    """Return base and rest as ``split`` does, also of a name from Windows, where no name has a colon."""
    match = _WITHOUT_COLON.fullmatch(name)
    return (match[1], b":" + match[2]) if match else split(name)


def with_colon(name: bytes) -> bytes:
    """Return a name from Windows with its letters once more, after a colon; any other as it is.

    So the base is what programs that know the colon alone took for it, and has the UID of their list.
    """
    match = _WITHOUT_COLON.fullmatch(name)
    return name + b":" + match[2] if match else name


def is_listable(name: bytes) -> bool:
    """Return whether a file of this name can be a message, and stand in a UID list."""
    return not name.startswith((b".", b":")) and b"\n" not in name


def sizes(base: bytes) -> tuple[int | None, int | None]:
    """Return the sizes in a base name: of the file, and on the wire."""
    found = _SIZE.search(base), _WIRE.search(base)
    stored, wire = (int(match[1]) if match else None for match in found)
    return stored, wire


def by_age(bases: Iterable[bytes]) -> list[bytes]:
    """Return base names sorted by age, as far as they hold it.

    Most begin with ten digits of seconds: sorted as they are, only those of one second remain to be
    compared.
    """
    found = sorted(bases)
    for start, stop in _runs(found):
        found[start:stop] = sorted(found[start:stop], key=_order)
    return found


def _runs(found: list[bytes]) -> list[tuple[int, int]]:
    """Return where base names stand together that are not in order yet."""
    seconds = list(map(itemgetter(slice(_SECONDS)), found))
    text = b"".join(seconds)
    if not _are_seconds(text, len(found)):
        return [(0, len(found))]
    if not any(map(eq, seconds, itertools.islice(seconds, 1, None))):
        return []
    pairs = enumerate(itertools.pairwise(seconds), 1)
    starts = [0, *(at for at, (one, other) in pairs if one != other), len(found)]
    return [(start, stop) for start, stop in itertools.pairwise(starts) if stop > start + 1]


def _are_seconds(text: bytes, number: int) -> bool:
    """Return whether a text is ``number`` times ten digits, the first not 0, and a full stop."""
    return (
        len(text) == number * _SECONDS
        and text[_SECONDS - 1 :: _SECONDS] == b"." * number
        and text.replace(b".", b"").isdigit()
        and text.count(b".") == number
        and b"0" not in text[::_SECONDS]
    )


def _order(base: bytes) -> tuple[list[int], bytes]:
    return [int(number) for number in _NUMBERS.findall(base[:_AGE])[:4]], base


def path(folder: bytes, base: bytes, tail: bytes) -> bytes:
    """Return the path of a file that the index knows by base and tail."""
    place = b"/new/" if tail.startswith(b"n") else b"/cur/"
    return folder + place + base + tail[1:]


def letters(tail: bytes) -> str:
    """Return the letters of a tail; empty unless it has them as maildir(5) says."""
    info = tail[1:]
    return info[3:].partition(b",")[0].decode("latin-1") if info.startswith(b":2,") else ""


def keyword_letters(tail: bytes) -> list[str]:
    """Return those letters of a tail that stand for keywords."""
    return [letter for letter in letters(tail) if letter in KEYWORD_LETTERS]


def flags_of(tail: bytes, keywords: dict[str, str]) -> Flags:
    """Return the flags that a tail's letters mean; ``keywords`` are those with a letter."""
    found = letters(tail)
    if not found:
        return flag.NONE
    named = (_LETTERS.get(letter) or keywords.get(letter) for letter in found)
    return flag.intern(frozenset(name for name in named if name))


def tail_of(flags: Flags, letter_of: dict[str, str], old: bytes = b"c") -> bytes:
    """Return the tail, in cur, for these flags; letters of ``old`` that mean nothing here stay.

    ``letter_of`` gives the letter of a keyword; keywords without one are not in the name.
    """
    known = {*_LETTERS, *letter_of.values()}
    kept = {letter for letter in letters(old) if letter not in known and letter.isalpha()}
    own = {_LETTER_OF.get(name) or letter_of.get(name, "") for name in flags}
    text = "".join(sorted(kept | own))
    return b"c:2," + text.encode("latin-1")
