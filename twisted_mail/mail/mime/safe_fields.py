"""Header fields that filters add, made harmless: nothing from a client can begin a line of its own.

Filters quote what clients sent, and some pass on what other programs send (milters): neither may end our
prefix, or add a field to it.
"""

import re

MAX_NAME = 76
MAX_VALUE = 64 * 1024  # octets, about: signatures and reports are long, nothing is endless

_NAME = re.compile(r"[!-9;-~]+")  # RFC 5322 §3.6.8
_BREAK = re.compile(r"\r\n(?![ \t])|\r(?!\n)|(?<!\r)\n|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_EMPTY_LINES = re.compile(r"\r\n[ \t]+(?=\r\n|\Z)")


def field(name: str, value: str) -> bytes:
    """Return a field with its line end; nothing where the name is invalid or the value too long.

    A value may be folded. Line ends that do not fold, and control characters, become ``_``; folds that
    leave an empty line are removed, as some readers end a header there (RFC 5322 §3.2.2). Octets that are
    not UTF-8 may be in it as ``surrogateescape`` has them.
    """
    if len(name) > MAX_NAME or len(value) > MAX_VALUE or not _NAME.fullmatch(name):
        return b""
    made = f"{name}: {_EMPTY_LINES.sub('', _BREAK.sub('_', value))}\r\n"
    try:
        return made.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return made.encode("utf-8", "replace")


def phrase(text: str, limit: int) -> str:
    """Return a filter's text as one line of printable ASCII, cut to ``limit``."""
    cut = text if len(text) <= limit else text[: limit - 3] + "..."
    return "".join(one if " " <= one <= "~" else "_" for one in cut)
