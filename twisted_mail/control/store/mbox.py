r"""Mbox, the format of one file for many messages (RFC 4155), to read and to write.

Each message has a line ``From <sender> <date>`` before it and an empty line after it. Lines inside that
begin with ``From `` are quoted with ``>``: in mboxrd also those with ``>`` before it already, so that
quoting can be undone; in mboxo only the plain ones. Flags are in Status (``RO``) and X-Status
(``AFTD``), keywords in X-Keywords, as mutt, UW and Dovecot write them; Thunderbird's are read.
"""

import re
from datetime import UTC, datetime
from typing import BinaryIO, Literal, NamedTuple

from twisted_mail.control.store.importing.source import storable_flags
from twisted_mail.mail.dates import DAYS, MONTHS, parse_mail_date
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.flags import Flags

Dialect = Literal["mboxrd", "mboxo"]

_LINE = 1024 * 1024  # octets read of a line at a time
_FROM_LENGTH = 500  # octets of a From_ line that are looked at
_TIME = re.compile(rb"[0-9]{1,2}:[0-9]{2}.{0,40}[0-9]{4}|[0-9]{4}.{1,10}[0-9]{1,2}:[0-9]{2}")
_DAY = re.compile(rb"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b")
_LINES = re.compile(rb"[^\n]*\n|[^\n]+")
_EMPTY = re.compile(rb"\n\r?\n")
_QUOTED = {
    "mboxrd": re.compile(rb"^>(>*From )", re.MULTILINE),
    "mboxo": re.compile(rb"^>(From )", re.MULTILINE),
}
_TO_QUOTE = re.compile(rb"^(>*From )", re.MULTILINE)
_OWN = re.compile(
    rb"(?:Status|X-Status|X-Keywords|X-UID|X-IMAP|X-IMAPbase|X-Mozilla-Status2?|X-Mozilla-Keys)"
    rb"[ \t]*:",
    re.IGNORECASE,
)
_STATUS = {"R": flag.SEEN}
_X_STATUS = {"A": flag.ANSWERED, "F": flag.FLAGGED, "D": flag.DELETED, "T": flag.DRAFT}
_MOZILLA = {1: flag.SEEN, 2: flag.ANSWERED, 4: flag.FLAGGED, 8: flag.DELETED}


class MboxMessage(NamedTuple):
    """One message as it was before it came into the file, with line ends as in the file."""

    data: bytes
    flags: Flags
    date: datetime | None
    is_internal: bool = False  # a note of the mail program's to itself


# ---------------------------------------------------------------- reading


def split(file: BinaryIO) -> list[tuple[int, int]]:
    """Return start and end of each message, with its From_ line."""
    starts: list[int] = []
    at = 0
    is_blank = is_whole = True
    while line := file.readline(_LINE):
        if is_blank and is_whole and line.startswith(b"From ") and is_from(line):
            starts.append(at)
        is_blank = is_whole and line in (b"\n", b"\r\n")
        is_whole = line.endswith(b"\n")
        at += len(line)
    return list(zip(starts, [*starts[1:], at], strict=True))


def is_from(line: bytes) -> bool:
    """Return whether a line that begins with ``From `` separates messages: it has a date."""
    return _TIME.search(line[:_FROM_LENGTH]) is not None


def read(data: bytes, dialect: Dialect = "mboxrd") -> MboxMessage:
    """Return the message between two offsets of ``split``."""
    first, _, rest = data.partition(b"\n")
    if rest.endswith((b"\n\n", b"\n\r\n")):
        rest = rest[: -2 if rest.endswith(b"\r\n") else -1]
    elif rest in (b"\n", b"\r\n"):
        rest = b""
    header, body = _parted(rest)
    kept, own = _without_own(header)
    is_internal = b"x-imap" in own and b"FOLDER INTERNAL DATA" in header
    text = _QUOTED[dialect].sub(rb"\1", kept + body)
    return MboxMessage(text, _flags(own), _date(first), is_internal)


def _parted(data: bytes) -> tuple[bytes, bytes]:
    """Return the header without the empty line, and the rest."""
    if data.startswith((b"\n", b"\r\n")):
        return b"", data
    match = _EMPTY.search(data)
    return (data, b"") if match is None else (data[: match.start() + 1], data[match.start() + 1 :])


def _without_own(header: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """Return a header without the fields with flags, and those fields."""
    kept: list[bytes] = []
    own: dict[bytes, bytes] = {}
    name = b""
    for line in _LINES.findall(header):
        if line[:1] in (b" ", b"\t"):
            if name:
                own[name] += line
            else:
                kept.append(line)
        elif _OWN.match(line):
            name, _, value = line.partition(b":")
            name = name.strip().lower()
            own[name] = value
        else:
            name = b""
            kept.append(line)
    return b"".join(kept), own


def _flags(own: dict[bytes, bytes]) -> Flags:
    found = {_STATUS.get(letter, "") for letter in _text(own, b"status")}
    found |= {_X_STATUS.get(letter, "") for letter in _text(own, b"x-status")}
    number = _text(own, b"x-mozilla-status").strip()
    if re.fullmatch("[0-9A-Fa-f]{1,8}", number):
        found |= {name for bit, name in _MOZILLA.items() if int(number, 16) & bit}
    for name in (b"x-keywords", b"x-mozilla-keys"):
        found |= set(_text(own, name).replace(",", " ").split())
    return storable_flags(found - {""})


def _text(own: dict[bytes, bytes], name: bytes) -> str:
    return own.get(name, b"").decode("ascii", "ignore")


def _date(line: bytes) -> datetime | None:
    line = line[:_FROM_LENGTH]
    days = list(_DAY.finditer(line))
    return parse_mail_date(line[days[-1].start() :]) if days else None


# ---------------------------------------------------------------- writing


def write(data: bytes, flags: Flags, seconds: int) -> bytes:
    """Return a message in the form of an mboxrd file, with LF line ends."""
    data = data.replace(b"\r\n", b"\n")
    header, body = _parted(data)
    kept, _ = _without_own(header)
    if kept and not kept.endswith(b"\n"):
        kept += b"\n"
    text = _TO_QUOTE.sub(rb">\1", kept + _status_fields(flags) + body)
    end = b"\n" if text.endswith(b"\n") else b"\n\n"
    return b"From MAILER-DAEMON " + _asctime(seconds) + b"\n" + text + end


def _status_fields(flags: Flags) -> bytes:
    lines = [f"Status: {'R' if flag.SEEN in flags else ''}O"]
    letters = "".join(letter for letter, name in _X_STATUS.items() if name in flags)
    if letters:
        lines.append(f"X-Status: {letters}")
    words = sorted(flag.keywords(flags))
    if words:
        lines.append(f"X-Keywords: {' '.join(words)}")
    return "".join(f"{line}\n" for line in lines).encode("ascii", "ignore")


def _asctime(seconds: int) -> bytes:
    try:
        when = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        when = datetime(1970, 1, 1, tzinfo=UTC)
    day, month = DAYS[when.weekday()], MONTHS[when.month - 1]
    return f"{day} {month} {when.day:2d} {when:%H:%M:%S} {when.year:04d}".encode()
