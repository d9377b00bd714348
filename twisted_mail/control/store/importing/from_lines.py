"""From lines of mbox files: which of them separate messages, and the dates they tell.

RFC 4155 wants ``From <sender> <asctime>``. Thunderbird writes ``From `` alone, Gmail the zone before the
year, others dates of every form. A line without a date counts only where a header follows it.
"""

import re
from datetime import datetime
from typing import NamedTuple

from twisted_mail.control.store.importing.dates import date_at_end

HEAD = 1000  # octets behind a line that are looked at
_LENGTH = 1000  # octets of a line that are looked at
_AFTER_DATE = re.compile(rb"(?:[ \t]+remote from [^ \t]+|[ \t]*\([^()]*\))?[ \t\r\n]*\Z")
_TIME = re.compile(rb"[0-9]{1,2}:[0-9]{2}.{0,40}[0-9]{4}|[0-9]{4}.{1,10}[0-9]{1,2}:[0-9]{2}")
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_KNOWN_FIELD = re.compile(
    rb"(?:X-[!-9;-~]+|Return-Path|Received|Delivered-To|Envelope-To|From|Sender|Reply-To|To|Cc|Bcc"
    rb"|Date|Subject|Message-ID|In-Reply-To|References|MIME-Version|Content-[!-9;-~]+|Status|Lines"
    rb"|DKIM-Signature|ARC-[!-9;-~]+|Authentication-Results|List-[!-9;-~]+)[ \t]*:",
    re.IGNORECASE,
)


class FromLine(NamedTuple):
    """A From line, and what it is taken for; ``doubt`` says why it could be something else.

    ``is_hiding`` where a message could be hidden in the text of another.
    """

    is_separator: bool
    doubt: str = ""
    is_hiding: bool = False


TEXT = FromLine(False)
SEPARATOR = FromLine(True)
_NO_HEADER = FromLine(True, "begins a message, and no header follows")
_NO_EMPTY_LINE = FromLine(True, "begins a message, and no empty line is before it")
_NO_DATE = FromLine(False, "was taken as text: it tells no date, though a header follows", True)
_NOTHING = FromLine(False, "was taken as text: no header follows")


def date_of(line: bytes) -> datetime | None:
    """Return the date that a From line ends with; None if it tells none."""
    line = _AFTER_DATE.sub(b"", line[:_LENGTH])
    return date_at_end(line[5:].decode("latin-1"))


def judge(line: bytes, head: bytes, is_after_blank: bool) -> FromLine:
    """Return what a line is that begins with ``From ``; ``head`` are the octets behind it."""
    has_header = _has_header(head)
    is_dated = date_of(line) is not None
    if not is_after_blank:
        is_clear = has_header and (is_dated or line.strip() == b"From")
        return _NO_EMPTY_LINE if is_clear else TEXT
    if is_dated:
        return SEPARATOR if has_header or not head.strip() else _NO_HEADER
    has_time = _TIME.search(line[:_LENGTH]) is not None
    if has_header:
        return SEPARATOR if has_time or _is_bare(line) else _NO_DATE
    return _NOTHING if has_time or line.strip() == b"From" else TEXT


def _is_bare(line: bytes) -> bool:
    """Return whether nothing but one word follows, which may be a sender."""
    words = line[5:_LENGTH].split()
    return len(words) < 2 and not line.rstrip().endswith((b":", b",", b"."))


def _has_header(head: bytes) -> bool:
    lines = head.split(b"\n")
    while lines and lines[0].startswith(b">From "):  # of relays before this one
        del lines[0]
    if not lines:
        return False
    if _KNOWN_FIELD.match(lines[0]):
        return True
    second = lines[1] if len(lines) > 1 else b""
    is_second = second[:1] in (b" ", b"\t") or _FIELD.match(second) is not None
    return _FIELD.match(lines[0]) is not None and is_second
