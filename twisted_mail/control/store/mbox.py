r"""Mbox, the format of one file for many messages (RFC 4155), to read and to write.

Each message has a line ``From <sender> <date>`` before it and an empty line after it. Lines inside that
begin with ``From `` are quoted with ``>``: in mboxrd also those with ``>`` before it already, so that
quoting can be undone; in mboxo and mboxcl only the plain ones; in mboxcl2 none. The last two tell the
length of the text in Content-Length. Flags are in Status (``RO``) and X-Status
(``AFTD``), keywords in X-Keywords, as mutt, UW and Dovecot write them; Thunderbird's are read.
"""

import re
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from twisted_mail.control.store.importing.from_lines import date_of
from twisted_mail.control.store.importing.source import storable_flags
from twisted_mail.mail.dates import DAYS, MONTHS
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.mail.mime import header as header_fields

Dialect = Literal["mboxrd", "mboxo", "mboxcl", "mboxcl2"]

_LINES = re.compile(rb"[^\n]*\n|[^\n]+")
_EMPTY = re.compile(rb"\n\r?\n")
_QUOTED = {
    "mboxrd": re.compile(rb"^>(>*From )", re.MULTILINE),
    "mboxo": re.compile(rb"^>(From )", re.MULTILINE),
    "mboxcl": re.compile(rb"^>(From )", re.MULTILINE),
    "mboxcl2": re.compile(rb"(?!)()"),
}
_WITH_LENGTH = ("mboxcl", "mboxcl2")
_FROM = re.compile(rb"^From ", re.MULTILINE)
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


def read(data: bytes, dialect: Dialect = "mboxrd") -> MboxMessage:
    """Return the message between two offsets of ``importing.mbox_split``.

    Where its Content-Length is right and lines of its text begin with ``From ``, nothing is quoted.
    """
    first, _, rest = data.partition(b"\n")
    length = _length(rest)
    has_length = length == len(rest)
    if has_length and dialect in _WITH_LENGTH:
        pass  # the next message begins without an empty line
    elif rest.endswith((b"\n\n", b"\n\r\n")):
        rest = rest[: -2 if rest.endswith(b"\r\n") else -1]
    elif rest in (b"\n", b"\r\n"):
        rest = b""
    header, body = _parted(rest)
    kept, own = _without_own(header)
    is_internal = b"x-imap" in own and b"FOLDER INTERNAL DATA" in header
    text = kept + body
    has_length = has_length or length == len(rest)
    if not has_length or not _FROM.search(body):
        text = _QUOTED[dialect].sub(rb"\1", text)
    return MboxMessage(text, _flags(own), date_of(first), is_internal)


def _length(data: bytes) -> int:
    """Return how long a message is by its Content-Length; -1 if it has none."""
    end = header_fields.end(data)
    fields = header_fields.fields(data, 0, end)
    text = next((each.value for each in fields if each.name.lower() == b"content-length"), b"")
    text = text.strip()
    return end + int(text) if text.isdigit() and len(text) < 16 else -1


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
