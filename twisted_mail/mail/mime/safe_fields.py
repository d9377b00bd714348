"""Header fields that filters add, made harmless: no octet of a visitor begins a line of its own.

Filters quote what visitors said, and some hand on what other programs say (milters): neither may end
our prefix, or put a field there that nobody wrote.
"""

import re

MAX_NAME = 76
MAX_VALUE = 64 * 1024  # octets, about: signatures and reports are long, nothing is endless

_NAME = re.compile(r"[!-9;-~]+")  # RFC 5322 §3.6.8
_BREAK = re.compile(r"\r\n(?![ \t])|\r(?!\n)|(?<!\r)\n|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_EMPTY_LINES = re.compile(r"\r\n[ \t]+(?=\r\n|\Z)")


def field(name: str, value: str) -> bytes:
    """Return a field with its line end; nothing where the name is none, or the value too long.

    A value may be folded. Line ends that do not fold, and control characters, become ``_``; folds that
    leave an empty line go, for some readers end a header there (RFC 5322 §3.2.2). Octets that are no
    UTF-8 may stand in it as ``surrogateescape`` has them.
    """
    if len(name) > MAX_NAME or len(value) > MAX_VALUE or not _NAME.fullmatch(name):
        return b""
    made = f"{name}: {_EMPTY_LINES.sub('', _BREAK.sub('_', value))}\r\n"
    try:
        return made.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return made.encode("utf-8", "replace")


def phrase(text: str, limit: int) -> str:
    """Return a text of a filter as one line of printable ASCII."""
    cut = text if len(text) <= limit else text[: limit - 3] + "..."
    return "".join(one if " " <= one <= "~" else "_" for one in cut)
