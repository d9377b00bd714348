"""Threads: which messages belong together, by what they and those before them are called.

A thread is called after the first message of it that any header names (RFC 5322 §3.6.4): for a first
message and for all replies whose References reach back to it that is the same, in whatever order they
come and whether or not it ever does.
"""

import hashlib
import re
from collections.abc import Sequence

from twisted_mail.mail.mime import header

HEADER = 32 * 1024  # octets of a header in which names are looked for
MAX_NAMES = 100  # names of one message; of more, those in the middle are left out

_FIELDS = frozenset((b"references", b"in-reply-to", b"message-id"))
_ID = re.compile(rb"<([^<>\s]{1,998})>")


def message_names(data: bytes) -> tuple[int, ...]:
    """Return what a message and those before it are called, the first message first, itself last.

    ``data`` begins with the message's header. A name is 64 bits of a Message-ID's hash, as a signed
    number. Empty where there is none.
    """
    stop = header.end(data, 0, min(len(data), HEADER))
    found = header.values(data, 0, stop, _FIELDS)
    before = _ids(_first(found, b"references")) + _ids(_first(found, b"in-reply-to"))
    own = header.unfolded(_first(found, b"message-id"))
    ids = list(dict.fromkeys([*before, *(_ids(own)[:1] or [own])]))
    return tuple(map(_name, _few([one for one in ids if one])))


def _first(found: dict[bytes, list[bytes]], name: bytes) -> bytes:
    return found[name][0] if name in found else b""


def _ids(value: bytes) -> list[bytes]:
    return _ID.findall(header.unfolded(value)) if value else []


def _few(ids: Sequence[bytes]) -> Sequence[bytes]:
    return ids if len(ids) <= MAX_NAMES else [ids[0], *ids[1 - MAX_NAMES :]]


def _name(octets: bytes) -> int:
    return int.from_bytes(hashlib.sha256(octets).digest()[:8], "big", signed=True)


def lone_name(email: str) -> int:
    """Return the name of a message that has none, by its EMAILID."""
    return _name(b"\0" + email.encode())


def thread_id(name: int) -> str:
    """Return what a thread is called whose first message has this name."""
    return f"{name & (1 << 64) - 1:016x}"
