"""What announces a literal at the end of a line (RFC 3501 §4.3, RFC 7888)."""

import re

# What nearly all commands are, known in one look: a line without faults that announces no literal.
ONE_LINE = re.compile(rb"[^\x00\r\n\x16][^\x00\r\n]*(?<!\})\r\n")
TAIL = 40  # octets at the end of a line in which the announcement is looked for
_NEVER = 1 << 63  # the size of a literal with more digits than any number here
_LONGEST_NUMBER = 20  # digits


def announced_literal(line: bytes) -> tuple[int, bool] | None:
    """Return size and whether the client waits, if the line announces a literal."""
    text = line[-TAIL:].rstrip(b"\r\n")
    brace = text.rfind(b"{")
    if brace < 0 or not text.endswith(b"}"):
        return None
    digits = text[brace + 1 : -1]
    is_awaited = not digits.endswith(b"+")
    digits = digits.removesuffix(b"+")
    if not digits.isdigit():
        return None
    return int(digits) if len(digits) <= _LONGEST_NUMBER else _NEVER, is_awaited
