"""Giving UIDVALIDITYs to an account's mailboxes: each is greater than all before.

The last one is in the account's file ``uidvalidity``. Where Dovecot served the maildir, its counter is
raised too: a file ``dovecot-uidvalidity.6b03fd10``, whose name holds the last one given, in hexadecimal,
and which Dovecot renames. So both servers continue one count.
"""

import os
import re
from contextlib import suppress

from twisted_mail.interfaces import Clock
from twisted_mail.mail.mailbox.numbers import MAX_NUMBER
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import read_file, replace_file

_PREFIX = b"dovecot-uidvalidity."
_COUNTER = re.compile(rb"dovecot-uidvalidity\.([0-9a-f]{8})")


class UidValidities:
    """The UIDVALIDITYs that were given in an account; the last is in the file at ``path``."""

    def __init__(self, disk: Disk, clock: Clock, account: bytes, maildir: bytes) -> None:
        self._disk = disk
        self._clock = clock
        self.path = os.path.join(account, b"uidvalidity")
        self._maildir = maildir

    def new(self, used: int, count: int = 1) -> list[int]:
        """Return numbers greater than any given before and than ``used``, recorded durably."""
        values = self.next(used, count)
        self.note(values[-1])
        return values

    def next(self, used: int, count: int = 1) -> list[int]:
        """Return the same, for the caller to write into the file."""
        used = max(used, self._recorded(), last(self._disk, self._maildir))
        first = max(int(self._clock.now()), used + 1)
        values = [min(value, MAX_NUMBER) for value in range(first, first + count)]
        raise_counters(self._disk, self._maildir, values[-1])
        return values

    def note(self, value: int) -> None:
        """Give only higher ones from now on."""
        if value > self._recorded():
            replace_file(self._disk, self.path, write(value))

    def _recorded(self) -> int:
        text = (read_file(self._disk, self.path) or b"").strip()
        return int(text) if text.isdigit() and len(text) <= 10 else 0


def write(value: int) -> bytes:
    """Return the contents of the file for the last number given."""
    return b"%d\n" % value


# ---------------------------------------------------------------- Dovecot's counter


def last(disk: Disk, maildir: bytes) -> int:
    """Return the last UIDVALIDITY that Dovecot gave here, or 0 where it never did."""
    return max(_counters(disk, maildir).values(), default=0)


def raise_counters(disk: Disk, maildir: bytes, value: int) -> None:
    """Make Dovecot give only higher ones, where it has a counter."""
    path = os.path.join(maildir, _PREFIX)
    for name, old in _counters(disk, maildir).items():
        if old < value:
            with suppress(FileNotFoundError):
                disk.rename(os.path.join(maildir, name), path + b"%08x" % value)


def _counters(disk: Disk, maildir: bytes) -> dict[bytes, int]:
    found = {}
    for name in disk.names(maildir):
        match = _COUNTER.fullmatch(name)
        if match:
            found[name] = int(match[1], 16)
    return found
