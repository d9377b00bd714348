"""The names of message files in memory, so that a file is opened without asking the index for its name.

A name is a guess: other programs rename files at any time. It is known from the last time somebody read
the message, and follows the flags that the message has got since; whoever opens the file by it looks
whether it is that one.
"""

from collections import OrderedDict
from collections.abc import Mapping
from itertools import islice
from typing import NamedTuple

from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.store.format import filename
from twisted_mail.store.index.rows import Row

MAX_NAMES = 20_000  # of all mailboxes together: some 7 MB
MAX_SHARE = 15_000  # of one mailbox


class FileName(NamedTuple):
    """Where a file was in its mailbox's folder when its message had these flags, and its size.

    ``tail`` is what the index has of the end of its name.
    """

    place: bytes
    tail: bytes
    flags: Flags
    stored: int

    @classmethod
    def of(cls, row: Row) -> "FileName":
        """Return the name of a message's file, as the index has it."""
        return cls(filename.path(b"", row.base, row.tail), row.tail, row.flags, row.stored)

    def place_with(self, flags: Flags, letter_of: dict[str, str]) -> bytes:
        """Return where the file is if the message has these flags now."""
        base = self.place[len(b"/cur/") : len(self.place) - len(self.tail) + 1]
        return filename.path(b"", base, filename.tail_of(flags, letter_of, self.tail))


class FileNames:
    """The names of files of a process, by mailbox. Reactor thread only.

    All accounts share one bound; the names of the mailbox that nobody read from the longest go first,
    all together. Of a mailbox that has more than its share, those that were learnt first go.
    """

    def __init__(self, max_names: int = MAX_NAMES, max_share: int = MAX_SHARE) -> None:
        self._max_names = max_names
        self._max_share = max_share
        self._count = 0
        self._mailboxes: OrderedDict[int, dict[int, FileName]] = OrderedDict()

    def of(self, mailbox: int) -> Mapping[int, FileName]:
        """Return the names known in an open mailbox, by UID; it counts as read from now."""
        known = self._mailboxes.get(mailbox)
        if known is None:
            return _NONE
        self._mailboxes.move_to_end(mailbox)
        return known

    def put(self, mailbox: int, names: Mapping[int, FileName]) -> None:
        """Keep names that were found."""
        known = self._mailboxes.pop(mailbox, {})
        self._count -= len(known)
        known.update(names)
        if len(known) > self._max_share:
            known = dict(islice(known.items(), len(known) - self._max_share // 2, None))
        self._mailboxes[mailbox] = known
        self._count += len(known)
        while self._count > self._max_names:
            self._count -= len(self._mailboxes.popitem(last=False)[1])

    def forget(self, mailbox: int) -> None:
        """Forget the names in a mailbox: it is in memory no more."""
        self._count -= len(self._mailboxes.pop(mailbox, ()))


_NONE: Mapping[int, FileName] = {}
