r"""The file ``subscriptions``, in Dovecot's formats: names a line, the second with tabs for levels.

    V	2

    INBOX
    Sent	2024

Levels are spelled as in the names of folders (see ``layout``).
"""

import re
from collections.abc import Collection

from twisted_mail.mail.outcome import Refused
from twisted_mail.store import layout, names

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
        return names.INBOX
    return layout.mailbox_name(b"." + line)


def write(subscribed: Collection[str]) -> bytes:
    """Return the file that says these names."""
    lines = sorted(map(_line, subscribed))
    return _HEADER + b"".join(line + b"\n" for line in lines)


def _line(name: str) -> bytes:
    return layout.folder_name(name)[1:].replace(b".", b"\t") or b"INBOX"


def is_writable(name: str) -> bool:
    """Say whether a name can be subscribed to."""
    try:
        return bool(_line(name))
    except Refused:
        return False
