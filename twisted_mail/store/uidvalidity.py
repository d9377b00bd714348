"""Dovecot's counter of UIDVALIDITY in a maildir: a file ``dovecot-uidvalidity.6b03fd10``.

Its name holds the last one given, in hexadecimal. Dovecot counts on by renaming it, so both servers
count on together.
"""

import os
import re
from contextlib import suppress

from twisted_mail.store.durable import Disk

_PREFIX = b"dovecot-uidvalidity."
_COUNTER = re.compile(rb"dovecot-uidvalidity\.([0-9a-f]{8})")


def last(disk: Disk, maildir: bytes) -> int:
    """Return the last UIDVALIDITY that Dovecot gave here, or 0 where it never did."""
    return max(_counters(disk, maildir).values(), default=0)


def count_on(disk: Disk, maildir: bytes, value: int) -> None:
    """Have Dovecot give higher ones only, where it has a counter."""
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
