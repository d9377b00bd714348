r"""The file ``subscriptions``, in Dovecot's formats: names a line, the second with tabs for levels.

    V	2

    INBOX
    Sent	2024

Levels are spelled as in the names of folders (see ``layout``).
"""

import os
import re
from collections.abc import Collection

from twisted_mail.mail.mailbox.change import SubscriptionChanged
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import read_file, replace_file
from twisted_mail.store.format import layout, mailbox_names

FILE = b"subscriptions"
_HEADER = b"V\t2\n\n"
_ESCAPES = {b"\x01t": b"\t", b"\x01n": b"\n", b"\x01r": b"\r", b"\x010": b"\0", b"\x011": b"\x01"}
_ESCAPED = re.compile(rb"\x01[tnr01]")


def parse(data: bytes) -> set[str]:
    """Return the names in a file of either format; what is no name is left out."""
    if data.startswith(_HEADER):
        lines = data[len(_HEADER) :].split(b"\n")
        found = [b".".join(map(_unescaped, line.split(b"\t"))) for line in lines]
    else:
        found = [line.strip(b"\r").replace(b"/", b".") for line in data.split(b"\n")]
    named = (_mailbox(line) for line in found if line)
    return {name for name in named if name}


def _unescaped(level: bytes) -> bytes:
    return _ESCAPED.sub(lambda match: _ESCAPES[match[0]], level)


def _mailbox(line: bytes) -> str | None:
    if line.upper() == b"INBOX":
        return mailbox_names.INBOX
    return layout.mailbox_name(b"." + line)


def write(subscribed: Collection[str]) -> bytes:
    """Return the contents of the file for these names."""
    lines = sorted(map(_line, subscribed))
    return _HEADER + b"".join(line + b"\n" for line in lines)


def _line(name: str) -> bytes:
    return layout.folder_name(name)[1:].replace(b".", b"\t") or b"INBOX"


def is_writable(name: str) -> bool:
    """Return whether a name can be subscribed to."""
    try:
        return bool(_line(name))
    except Refused:
        return False


# ---------------------------------------------------------------- in an account


class SubscriptionsFile:
    """The file in the maildir of an account, at ``path``."""

    def __init__(self, disk: Disk, maildir: bytes) -> None:
        self._disk = disk
        self.path = os.path.join(maildir, FILE)
        self._last_read: set[str] | None = None
        self._stamp = ""  # of the file when that was read

    def read(self) -> set[str]:
        """Return the names that are subscribed to."""
        return parse(read_file(self._disk, self.path) or b"")

    def events(self) -> list[SubscriptionChanged]:
        """Return what changed since the last call, whichever program did it."""
        stamp = self._current_stamp()
        if self._last_read is not None and stamp == self._stamp:
            return []
        now = self.read()
        altered = set() if self._last_read is None else self._last_read ^ now
        self._last_read, self._stamp = now, stamp
        return [SubscriptionChanged(name, name in now) for name in sorted(altered)]

    def _current_stamp(self) -> str:
        try:
            stat = self._disk.stat(self.path)
        except FileNotFoundError:
            return ""
        return f"{stat.st_ino}.{stat.st_size}.{stat.st_mtime_ns}"

    def write(self, subscribed: Collection[str]) -> None:
        """Replace the file, durably."""
        replace_file(self._disk, self.path, write(subscribed))
