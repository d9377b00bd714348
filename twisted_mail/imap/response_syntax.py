"""Writing values in the grammar of IMAP (RFC 3501 §9), so that ``grammar`` reads them as they were."""

import re
from collections.abc import Iterable

from twisted_mail.mail.bounded_cache import RecentCache
from twisted_mail.mail.mailbox import flags
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.mail.mime.encoding import encode_mailbox_name
from twisted_mail.mail.outcome import MailError, ProtocolError

_PLAIN_ATOM = re.compile(rb"[^\x00-\x20(){%*\"\\\]\x7f-\xff]+")
_QUOTABLE = re.compile(rb"[^\x00\r\n\x7f-\xff]*")
_MAX_QUOTED = 1000  # octets: longer values travel better as literals


def quoted(text: str) -> bytes:
    """Write ASCII text without line ends as a quoted string."""
    return b'"' + text.encode("ascii").replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def literal(value: bytes) -> bytes:
    """Write octets as a literal."""
    return b"{%d}\r\n%b" % (len(value), value)


def string(value: bytes) -> bytes:
    """Write octets as a quoted string where that can hold them, else as a literal."""
    if len(value) <= _MAX_QUOTED and _QUOTABLE.fullmatch(value):
        return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return literal(value)


def mailbox_name(name: str) -> bytes:
    """Write a mailbox's name in modified UTF-7, as an atom or quoted."""
    encoded = encode_mailbox_name(name)
    if _PLAIN_ATOM.fullmatch(encoded) and encoded.upper() != b"NIL":
        return encoded
    return string(encoded)


def flag_list(names: Iterable[str]) -> bytes:
    r"""Write flags in parentheses: system flags as the RFC lists them, keywords, and ``\*``."""
    ordered = sorted(names, key=lambda name: (_ORDER.get(name, _KEYWORDS), name))
    return b"(" + " ".join(ordered).encode("ascii") + b")"


_KEYWORDS = len(flags.SYSTEM) + 1
_ORDER = {name: position for position, name in enumerate((*flags.SYSTEM, flags.RECENT))}
_ORDER["\\*"] = _KEYWORDS + 1

# A set of flags as FETCH shows it, and with \\Recent. A mailbox has a few dozen different ones.
shown_flags: RecentCache[Flags, bytes] = RecentCache(flag_list, flags.REMEMBERED, flags.octets)
with_recent: RecentCache[Flags, Flags] = RecentCache(
    lambda known: known | {flags.RECENT}, flags.REMEMBERED, flags.octets
)


def refusal(error: MailError) -> str:
    """Return the answer to a command that failed: BAD or NO, code and text."""
    word = "BAD" if isinstance(error, ProtocolError) else "NO"
    code = f"[{error.condition}] " if error.condition else ""
    text = "".join(c if " " <= c <= "~" else "?" for c in error.outcome.text)
    return f"{word} {code}{text}"
