"""Answers of another IMAP server, as imaplib returns them: pieces of lines and literals.

imaplib gives a response without a literal as octets, and one with literals as a pair for each literal,
what is before it and the literal, then the rest of the line. A literal that the client did not keep is
None there.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from twisted_mail.control.store.importing.dates import read_date
from twisted_mail.mail.mime.encoding import decode_mailbox_name
from twisted_mail.store.format import mailbox_names

NOT_KEPT = object()  # instead of a literal that was too large to be kept

_LIST = re.compile(
    rb'\(([^)]*)\) (?:"(?:\\?(.))?"|NIL) (?:"((?:[^"\\]|\\.)*)"|(.+))', re.DOTALL | re.IGNORECASE
)
# Some servers leave names with spaces unquoted. This begins a list of tags with values, and no name.
_EXTENDED_DATA = re.compile(rb' \((?:\)|(?:"[^"]*"|[^\s()"]+) )')  # RFC 5258 §6, mbox-list-extended
_TOKEN = re.compile(rb'[ \t]*(?:"((?:[^"\\]|\\.)*)"|([()])|((?:[^\s()"\[]|\[[^\]]*\]?)+)|(.))')
_LITERAL_MARK = re.compile(rb"~?\{[0-9]+\+?\}\Z")
MAX_DEPTH = 10  # of lists within lists
_BODIES = (b"BODY[]", b"RFC822", b"BODY[]<0>", b"BODY.PEEK[]")


# ---------------------------------------------------------------- mailboxes


def mailbox(answer: Any) -> tuple[bytes, bytes, bytes] | None:
    """Return attributes, delimiter and name of a LIST answer, quoted or with a literal."""
    literal = None
    if isinstance(answer, tuple):
        answer, literal = answer[0], answer[1]
        if literal is None:
            return None
    match = _LIST.match(answer) if isinstance(answer, bytes) else None
    if match is None:
        return None
    if literal is not None:
        name = literal
    elif match[3] is not None:
        name = _unquoted(match[3])
    else:
        name = _unquoted_name(match[4])
    return match[1], match[2] or b"", name


def _unquoted_name(text: bytes) -> bytes:
    """Return the name of a LIST answer without the extended data that may come after it."""
    text = text.strip()
    extended = _EXTENDED_DATA.search(text) if text.endswith(b")") else None
    return text if extended is None else text[: extended.start()]


def _unquoted(text: bytes) -> bytes:
    return re.sub(rb"\\(.)", rb"\1", text, flags=re.DOTALL)


def local_name(raw: bytes, delimiter: bytes, prefix: bytes = b"") -> str:
    """Return a server's mailbox name as it is here: ``/`` between levels and nowhere else.

    ``prefix`` is that of the user's own namespace (RFC 2342), and is taken off. A name that is no
    modified UTF-7 is UTF-8 or, failing that, Latin-1. What cannot be shown becomes ``_``.
    """
    if prefix and raw[: len(prefix)].upper() == prefix.upper() and len(raw) > len(prefix):
        raw = raw[len(prefix) :]
    name = _text(raw)
    levels = name.split(delimiter.decode("latin-1")) if delimiter else [name]
    return mailbox_names.canonical(mailbox_names.of_levels(levels))


def _text(raw: bytes) -> str:
    try:
        return decode_mailbox_name(raw)
    except ValueError:
        pass
    try:
        return raw.decode("utf-8")
    except ValueError:
        return raw.decode("latin-1")


def own_namespace(answers: Iterable[Any]) -> tuple[bytes, bytes] | None:
    """Return prefix and delimiter of the user's first own namespace; None if there is none."""
    values = next(responses(answers), [])
    own = values[0] if values else None
    first = own[0] if isinstance(own, list) and own else None
    if not isinstance(first, list) or len(first) < 2:
        return None
    prefix, delimiter = first[:2]
    return prefix if isinstance(prefix, bytes) else b"", delimiter or b""


# ---------------------------------------------------------------- responses


def responses(answers: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the values of each response: octets, None for NIL, and lists of values."""
    pieces: list[Any] = []
    for answer in answers:
        if isinstance(answer, tuple) and len(answer) >= 2:
            pieces += answer[:2]
        elif isinstance(answer, bytes):
            yield _values([*pieces, answer])
            pieces = []
    if pieces:
        yield _values([*pieces, b""])


def _values(pieces: list[Any]) -> list[Any]:
    """Read pieces of lines, each but the last with a literal after it."""
    stack: list[list[Any]] = [[]]
    for at in range(0, len(pieces), 2):
        has_literal = at + 1 < len(pieces)
        line = _LITERAL_MARK.sub(b"", pieces[at]) if has_literal else pieces[at]
        for match in _TOKEN.finditer(line):
            _add(stack, match)
        if has_literal:
            literal = pieces[at + 1]
            stack[-1].append(NOT_KEPT if literal is None else literal)
    return stack[0]


def _add(stack: list[list[Any]], match: "re.Match[bytes]") -> None:
    quoted, bracket, atom = match[1], match[2], match[3]
    if bracket == b"(" and len(stack) < MAX_DEPTH:
        stack[-1].append([])
        stack.append(stack[-1][-1])
    elif bracket == b")":
        if len(stack) > 1:
            stack.pop()
    elif quoted is not None:
        stack[-1].append(_unquoted(quoted))
    elif atom is not None:
        stack[-1].append(None if atom.upper() == b"NIL" else atom)


def fetched(answers: Iterable[Any]) -> dict[int, dict[bytes, Any]]:
    """Return what FETCH responses say about messages, by UIDs, with names in capitals.

    What several responses say about one message is joined: the server may send changed flags at any
    time (RFC 3501 §7.4.2). Responses without a UID are left out.
    """
    found: dict[int, dict[bytes, Any]] = {}
    for values in responses(answers):
        items = next((value for value in values if isinstance(value, list)), [])
        pairs = zip(items[::2], items[1::2], strict=False)
        about = {name.upper(): value for name, value in pairs if isinstance(name, bytes)}
        uid = number(about.get(b"UID"))
        if uid:
            found.setdefault(uid, {}).update(about)
    return found


def number(value: Any) -> int:
    """Return a number, 0 for what is none of at most 32 bits."""
    if not isinstance(value, bytes) or not value.isdigit() or len(value) > 10:
        return 0
    return int(value) if int(value) < 2**32 else 0


def numbers(answers: Iterable[Any]) -> set[int]:
    """Return the UIDs in all SEARCH responses (RFC 3501 §7.2.5): a server may send several."""
    found: set[int] = set()
    for values in responses(answers):
        found.update(number(value) for value in values)
    return found - {0}


def numbers_in_set(answers: Iterable[Any]) -> Iterator[tuple[int, int]]:
    """Yield the first and last UID of each range in the ALL of ESEARCH (RFC 4731 §3.1)."""
    for values in responses(answers):
        words = [value.upper() if isinstance(value, bytes) else b"" for value in values]
        text = words[words.index(b"ALL") + 1] if b"ALL" in words[:-1] else b""
        for part in text.split(b","):
            first, _, last = part.partition(b":")
            low, high = sorted((number(first), number(last or first)))
            if low:
                yield low, high


def body(about: Mapping[bytes, Any]) -> Any:
    """Return the message: octets, None for NIL or where there is none, or ``NOT_KEPT``."""
    return next((about[name] for name in _BODIES if name in about), None)


def date(value: Any) -> datetime | None:
    """Return an internal date; None if it is none."""
    return read_date(value.decode("latin-1")) if isinstance(value, bytes) else None
