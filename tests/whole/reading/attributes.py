"""ENVELOPE and BODYSTRUCTURE taken apart: each attribute by its name, with the values that it has.

An attribute of a part is called ``0.1 type``: ``0`` is the message itself, ``0.1`` the first part in it,
and a message in a part its only one. One of an envelope is ``0 envelope to``, with the message's number.
A list of addresses has a value for each address, parameters one for each, and what is NIL has none.
"""

from collections.abc import Generator
from typing import TypeVar

from tests.whole.imap_values import Value

Attributes = dict[str, list[object]]
T = TypeVar("T")
Attributed = Generator[tuple[str, list[object]], None, T]  # attributes, and what is left to read

MEMBERS = (
    *("date", "subject", "from", "sender", "reply-to", "to", "cc", "bcc"),
    *("in-reply-to", "message-id"),
)
PLACEHOLDERS = (b"MISSING_MAILBOX", b"MISSING_DOMAIN")  # of Dovecot


def envelope_attributes(envelope: Value, number: str = "0") -> Attributes:
    """Take an envelope apart."""
    assert isinstance(envelope, list)
    members = zip(MEMBERS, envelope, strict=True)
    return {f"{number} envelope {name}": _member(value) for name, value in members}


def structure_attributes(structure: Value) -> Attributes:
    """Take a body structure apart."""
    return dict(_part(structure, "0"))


def _part(part: Value, number: str) -> Attributed[None]:
    assert isinstance(part, list)
    if isinstance(part[0], list):
        rest = yield from _multipart(part, number)
    else:
        rest = yield from _single(part, number)
    how, languages, location = rest
    if isinstance(how, list):
        yield f"{number} disposition", [_lower(how[0])]
        yield f"{number} disposition parameters", _parameters(how[1])
    yield f"{number} languages", list(languages) if isinstance(languages, list) else []
    yield f"{number} location", _text(location)


def _multipart(part: list[Value], number: str) -> Attributed[list[Value]]:
    count = next(at for at, each in enumerate(part) if not isinstance(each, list))
    for index, child in enumerate(part[:count], 1):
        yield from _part(child, f"{number}.{index}")
    yield f"{number} type", [b"multipart/" + _lower(part[count])]
    yield f"{number} parameters", _parameters(part[count + 1])
    return part[count + 2 :]


def _single(part: list[Value], number: str) -> Attributed[list[Value]]:
    kind = _lower(part[0]) + b"/" + _lower(part[1])
    yield f"{number} type", [kind]
    yield f"{number} parameters", _with_charset(kind, _parameters(part[2]))
    yield f"{number} id", _text(part[3])
    yield f"{number} description", _text(part[4])
    yield f"{number} encoding", [_lower(part[5])]
    yield f"{number} size", [part[6]]
    rest = part[7:]
    if isinstance(rest[0], list):
        yield from envelope_attributes(rest[0], f"{number}.1").items()
        yield from _part(rest[1], f"{number}.1")
        rest = rest[2:]
    if isinstance(rest[0], int):
        yield f"{number} lines", [rest.pop(0)]
    yield f"{number} md5", _text(rest.pop(0))
    return rest


# ---------------------------------------------------------------- what is the same on both sides


def _member(value: Value) -> list[object]:
    return [_address(each) for each in value] if isinstance(value, list) else _text(value)


def _address(value: Value) -> object:
    """Return one address, an empty part where Dovecot puts a placeholder."""
    assert isinstance(value, list)
    return tuple(b"" if part in PLACEHOLDERS else part for part in value)


def _text(value: Value) -> list[object]:
    """Leave one space of any white space, and none at the ends, as Dovecot does."""
    return [b" ".join(value.split())] if isinstance(value, bytes) else []


def _lower(value: Value) -> bytes:
    assert isinstance(value, bytes)
    return value.lower()


def _parameters(value: Value) -> list[object]:
    pairs = value or []
    assert isinstance(pairs, list)
    return sorted(zip(map(_lower, pairs[::2]), pairs[1::2], strict=True), key=str)


def _with_charset(kind: bytes, parameters: list[object]) -> list[object]:
    """Add the default charset where we leave it out: Dovecot says it of every text."""
    named = any(isinstance(each, tuple) and each[0] == b"charset" for each in parameters)
    if named or not kind.startswith(b"text/"):
        return parameters
    return sorted([*parameters, (b"charset", b"us-ascii")], key=str)
