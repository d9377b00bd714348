"""Answers of another IMAP server, as imaplib returns them: pieces of lines and literals."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from twisted_mail.mail.dates import parse_date_time
from twisted_mail.mail.mime.encoding import decode_mailbox_name

_LIST = re.compile(rb'\(([^)]*)\) (?:"\\?(.)"|NIL) (.+)', re.DOTALL)
_UID = re.compile(rb"\bUID ([0-9]{1,10})")


def mailbox(answer: Any) -> tuple[bytes, bytes, bytes] | None:
    """Return attributes, delimiter and name of a LIST answer, quoted or with a literal."""
    literal = b""
    if isinstance(answer, tuple):
        answer, literal = answer[0], answer[1]
    if not isinstance(answer, bytes):
        return None
    match = _LIST.match(answer)
    if match is None:
        return None
    name = match[3]
    if literal:
        name = literal
    elif name.startswith(b'"'):
        name = re.sub(rb"\\(.)", rb"\1", name.strip()[1:-1])
    return match[1], match[2] or b"", name


def local_name(raw: bytes, delimiter: bytes) -> str:
    """Return a server's mailbox name as it is here: ``/`` between levels and nowhere else."""
    try:
        name = decode_mailbox_name(raw)
    except ValueError:
        name = raw.decode("utf-8", "replace")
    levels = name.split(delimiter.decode("latin-1")) if delimiter else [name]
    name = "/".join(level.replace("/", "_") or "_" for level in levels)
    first, slash, rest = name.partition("/")
    return "INBOX" + slash + rest if first.upper() == "INBOX" else name


def bodies(answers: Iterable[Any]) -> Iterator[tuple[int, bytes]]:
    """Yield UIDs and messages; the UID may come before or after the literal."""
    body: bytes | None = None
    for answer in answers:
        if isinstance(answer, tuple) and len(answer) >= 2:
            before, body = answer[0], answer[1]
            uid = _UID.search(before)
            if uid is not None:
                yield int(uid[1]), body
                body = None
        elif isinstance(answer, bytes) and body is not None:
            uid = _UID.search(answer)
            if uid is not None:
                yield int(uid[1]), body
            body = None


def date(match: "re.Match[bytes] | None") -> datetime | None:
    """Return the internal date of a match; None if it is none."""
    if match is None:
        return None
    try:
        return parse_date_time(match[1].decode("ascii", "replace"))
    except ValueError:
        return None
