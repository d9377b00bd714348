"""Keywords of one mailbox, and their letters: ``dovecot-keywords``, a line ``0 $Junk`` each.

The first 26 keywords have a letter, a to z, in the names of files, so that Dovecot shows them too;
further ones live in the index alone.
"""

import math
import os
import re
from collections.abc import Callable, Iterable

from twisted_mail.interfaces import Clock
from twisted_mail.mail.bounded_cache import RecentCache
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import read_file, replace_file
from twisted_mail.store.format import filename
from twisted_mail.store.format.dotlock import Dotlock
from twisted_mail.store.format.filename import KEYWORD_LETTERS

FILE = b"dovecot-keywords"
LIMIT = 1000  # in one mailbox
WRITTEN_OCTETS = 16 * 1024  # of sets of flags whose tails are remembered, in each mailbox
# Dovecot renames files first and writes the file of keywords a moment later.
AWAITED_SECONDS = 10.0
RETRY_SECONDS = 60.0  # after which a file that could not be read is tried again

_LINE = re.compile(r"([0-9]{1,2}) ([^\s]+)")


def parse(data: bytes) -> dict[str, str]:
    """Return the keyword of each letter. Lines that make no sense are left out."""
    found: dict[str, str] = {}
    for line in data.decode("utf-8", "replace").split("\n"):
        match = _LINE.fullmatch(line)
        if match and int(match[1]) < len(KEYWORD_LETTERS) and flag.is_keyword(match[2]):
            found.setdefault(KEYWORD_LETTERS[int(match[1])], match[2])
    return found


def senseless_lines(data: bytes) -> int:
    """Return how many lines make no sense."""
    lines = data.decode("utf-8", "replace").split("\n")
    return sum(1 for line in lines if line and not _LINE.fullmatch(line))


def write(letters: dict[str, str]) -> bytes:
    """Return the contents of the file for these letters."""
    rows = sorted((KEYWORD_LETTERS.index(letter), name) for letter, name in letters.items())
    return "".join(f"{number} {name}\n" for number, name in rows).encode()


class Keywords:
    """The keywords of one mailbox.

    ``names`` and ``letter_of`` may be read from any thread: they are replaced as a whole.

    While the file cannot be read, what was known of it counts, and no keyword gets a letter: that may
    have a meaning already. ``note_fault`` takes the error, or raises it where it is not of this file.
    """

    def __init__(
        self,
        disk: Disk,
        clock: Clock,
        folder: bytes,
        lock: Dotlock,
        note_fault: Callable[[bytes, OSError], None],
    ) -> None:
        self._disk = disk
        self._clock = clock
        self._note_fault = note_fault
        self._retry_at = math.inf  # while the file can be read
        self._lock = lock  # of the list of UIDs, which Dovecot takes for this file too
        self._path = os.path.join(folder, FILE)
        self._stamp = ""
        self.names: tuple[str, ...] = ()
        self.by_letter: dict[str, str] = {}
        self.letter_of: dict[str, str] = {}
        self._spelling: dict[str, str] = {}
        self._forget_written()
        self._awaited_until = -math.inf

    def move(self, folder: bytes) -> None:
        """Follow the mailbox to another folder."""
        self._path = os.path.join(folder, FILE)

    def is_stale(self) -> bool:
        """Return whether another program wrote the file since it was read, or it is to be tried again."""
        return self._current_stamp() != self._stamp or self._clock.monotonic() >= self._retry_at

    @property
    def is_unreadable(self) -> bool:
        """Return whether the file could not be read, so that letters may mean what is not known."""
        return self._retry_at != math.inf

    def catch_up(self) -> bool:
        """Read the file if it is stale; return whether that was so."""
        if not self.is_stale():
            return False
        stamp = self._current_stamp()
        try:
            data = read_file(self._disk, self._path) or b""
        except OSError as error:
            self._note_fault(self._path, error)
            self._stamp, self._retry_at = stamp, self._clock.monotonic() + RETRY_SECONDS
            return False
        self._stamp, self._retry_at = stamp, math.inf
        self._know(parse(data))
        self._awaited_until = -math.inf
        return True

    def flags_of(self, tail: bytes) -> Flags:
        """Return the flags that a file's name has; a letter that means nothing yet may do so soon."""
        if any(letter not in self.by_letter for letter in filename.keyword_letters(tail)):
            self._awaited_until = self._clock.monotonic() + AWAITED_SECONDS
        return filename.flags_of(tail, self.by_letter)

    @property
    def are_awaited(self) -> bool:
        """Return whether a file's name lately had a letter without a keyword. For any thread."""
        return self._clock.monotonic() < self._awaited_until

    def _current_stamp(self) -> str:
        try:
            stat = self._disk.stat(self._path)
        except FileNotFoundError:
            return ""
        return f"{stat.st_ino}.{stat.st_size}.{stat.st_mtime_ns}"

    def learn(self, names: Iterable[str]) -> None:
        """Add keywords that messages have without a letter."""
        for name in names:
            self._spelling.setdefault(name.lower(), name)
        self.names = tuple(self._spelling.values())
        self._forget_written()

    def spelled(self, flags: Iterable[str]) -> Flags:
        r"""Return flags as this mailbox spells them, without ``\Recent``."""
        named = flag.normal(self._spelling.get(name.lower(), name) for name in flags)
        return flag.intern(named - {flag.RECENT})

    def written(self, flags: Flags) -> tuple[Flags, bytes]:
        """Return flags as this mailbox spells them, and the tail of a name in cur that has them."""
        return self._written(flags)

    def _forget_written(self) -> None:
        self._written = RecentCache(self._write, WRITTEN_OCTETS, flag.octets)

    def _write(self, flags: Flags) -> tuple[Flags, bytes]:
        spelled = self.spelled(flags)
        return spelled, filename.tail_of(spelled, self.letter_of)

    def admit(self, flags: Iterable[str], in_use: Flags | None = None) -> None:
        """Make sure that messages here can have these flags, with letters for their keywords.

        ``in_use`` are the keywords that messages have, when it is known that there is little space.
        Raises Refused: LIMIT, CANNOT.
        """
        fresh = [
            name for name in sorted(flag.keywords(self.spelled(flags))) if not self._knows(name)
        ]
        if not all(map(flag.is_keyword, fresh)):
            raise Refused("No message can have this flag.", "CANNOT")
        if fresh:
            self._make_room(len(fresh), in_use)
            self._give_letters(fresh)

    def needs_room(self, flags: Iterable[str]) -> bool:
        """Return whether ``admit`` would have to know the keywords in use."""
        fresh = [name for name in self.spelled(flags) if not self._knows(name)]
        return len(self._spelling) + len(fresh) > LIMIT

    @property
    def has_room(self) -> bool:
        """Return whether there is room for a new keyword."""
        return len(self.names) < LIMIT

    def _knows(self, name: str) -> bool:
        return name.lower() in self._spelling

    def _make_room(self, number: int, in_use: Flags | None) -> None:
        if len(self._spelling) + number > LIMIT and in_use is not None:
            lettered = set(self.letter_of)
            self._spelling = {
                low: name
                for low, name in self._spelling.items()
                if name in in_use or name in lettered
            }
            self._forget_written()
        if len(self._spelling) + number > LIMIT:
            raise Refused("There is no room for more keywords in this mailbox.", "LIMIT")

    def _give_letters(self, names: list[str]) -> None:
        if len(self.by_letter) < len(KEYWORD_LETTERS) and not self.is_unreadable:
            with self._lock.held():
                self._write_letters(names)
        self.learn(names)

    def _write_letters(self, names: list[str]) -> None:
        """Give letters in addition to those there are, even those that another program wrote just now."""
        was_stale = self.is_stale()
        if was_stale:
            self._know(parse(read_file(self._disk, self._path) or b""))
        lettered = {name.lower() for name in self.letter_of}
        free = [letter for letter in KEYWORD_LETTERS if letter not in self.by_letter]
        wanted = [name for name in names if name.lower() not in lettered]
        added = dict(zip(free, wanted, strict=False))
        if not added:
            return
        letters = self.by_letter | added
        replace_file(self._disk, self._path, write(letters), self._next_time())
        self._stamp = "" if was_stale else self._current_stamp()  # stale until files are compared
        self._know(letters)

    def _next_time(self) -> float | None:
        """Return a time of modification that Dovecot sees is another: it compares whole seconds."""
        try:
            last = self._disk.stat(self._path).st_mtime
        except FileNotFoundError:
            return None
        return max(self._clock.now(), int(last) + 1)

    def _know(self, letters: dict[str, str]) -> None:
        self.by_letter = letters
        self.letter_of = {name: letter for letter, name in letters.items()}
        self.learn(letters[letter] for letter in sorted(letters))
