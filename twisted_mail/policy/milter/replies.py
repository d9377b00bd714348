"""The replies of a filter: decisions, and at the end of a message its edits."""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.outcome import Outcome, ProtocolError
from twisted_mail.mail.verdict import (
    AddField,
    AddRecipient,
    ChangeField,
    ChangeSender,
    DropRecipient,
    Edit,
)
from twisted_mail.policy.milter.packets import Packet, split

MAX_TEXT = 400  # characters of a reply that are sent to the client

_REPLY = re.compile(r"([45]\d\d)(?:[ -](?:([245]\.\d{1,3}\.\d{1,3}) )?(.*))?", re.DOTALL)
_FOLD = re.compile(r"\r?\n[ \t]*|\r(?!\n)[ \t]*")
_INDEX = struct.Struct(">I")


class ResponseCode(Enum):
    """Replies without data: how to go on."""

    CONTINUE = b"c"
    ACCEPT = b"a"
    DISCARD = b"d"
    REJECT = b"r"
    TEMPFAIL = b"t"
    SKIP = b"s"  # no more of the body is wanted
    PROGRESS = b"p"  # the decision takes longer
    SHUTDOWN = b"4"  # the filter ends
    CONN_FAIL = b"f"


@dataclass(frozen=True, slots=True)
class CustomReply:
    """Refuse with a reply of the filter's own."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Accept the mail, and put it where junk is kept."""

    reason: str


@dataclass(frozen=True, slots=True)
class ReplacementBody:
    """A piece of the new body."""

    data: bytes


MilterResponse = ResponseCode | CustomReply | Quarantine | ReplacementBody | Edit


def parse_response(packet: Packet, keeps_spaces: bool = False) -> MilterResponse:
    """Return the reply in a packet. Raises ProtocolError.

    With ``keeps_spaces`` the values of fields begin right after the colon, usually with a space.
    """
    if packet.kind in _RESPONSE_CODES:
        return _RESPONSE_CODES[packet.kind]
    if packet.kind == b"b":
        return ReplacementBody(packet.data)
    read = _READERS.get(packet.kind)
    if read is None:
        raise ProtocolError("an answer that nobody knows")
    found = read(packet.data)
    if keeps_spaces and isinstance(found, (AddField, ChangeField)) and found.value:
        return _without_space(found)
    return found


_RESPONSE_CODES = {step.value: step for step in ResponseCode}


# ---------------------------------------------------------------- replies


def _reply(data: bytes) -> CustomReply:
    """Read ``550 5.7.1 text``; of several lines the texts are put together."""
    text = split(data)[0].decode("utf-8", "replace") if data else ""
    lines = [_REPLY.fullmatch(line) for line in text.split("\r\n") if line]
    first = lines[0] if lines else None
    if first is None:
        raise ProtocolError("a reply code that is none")
    code, enhanced = int(first[1]), first[2] or f"{first[1][0]}.7.1"
    if code == 421:  # this would end the conversation (RFC 5321 §3.8)
        code = 450
    if enhanced[0] != str(code)[0]:
        enhanced = str(code)[0] + enhanced[1:]
    said = " ".join((one[3] or "").strip() for one in lines if one is not None)
    return CustomReply(Outcome(code, enhanced, _harmless(said) or "Refused for reasons of policy"))


def _harmless(text: str) -> str:
    """Return printable ASCII on one line; doubled percent signs are libmilter's."""
    plain = text.replace("%%", "%")
    return "".join(one if " " <= one <= "~" else "_" for one in plain)[:MAX_TEXT].strip()


def _quarantine(data: bytes) -> Quarantine:
    return Quarantine(_harmless(split(data)[0].decode("utf-8", "replace")) if data else "")


# ---------------------------------------------------------------- fields


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def _value(octets: bytes) -> str:
    """Return a value with CRLF where it is folded; lines without a blank in front get one."""
    text = _text(octets).rstrip(" \t\r\n")
    return _FOLD.sub(_fold, text) if "\n" in text or "\r" in text else text


def _fold(found: re.Match[str]) -> str:
    return "\r\n" + (found[0].lstrip("\r\n") or "\t")


def _named(data: bytes) -> tuple[str, str]:
    found = split(data)
    if len(found) != 2 or not found[0]:
        raise ProtocolError("a field without name or value")
    return _text(found[0]), _value(found[1])


def _indexed(data: bytes) -> tuple[int, bytes]:
    if len(data) < _INDEX.size:
        raise ProtocolError("a field without its index")
    [index] = _INDEX.unpack_from(data)
    return index, data[_INDEX.size :]


def _add_field(data: bytes) -> AddField:
    return AddField(*_named(data), at_end=True)


def _insert_field(data: bytes) -> AddField:
    index, rest = _indexed(data)
    return AddField(*_named(rest), place=index)


def _change_field(data: bytes) -> ChangeField:
    index, rest = _indexed(data)
    name, value = _named(rest)
    return ChangeField(name, max(index, 1), value or None)


def _without_space(edit: AddField | ChangeField) -> AddField | ChangeField:
    value = (edit.value or "").removeprefix(" ")
    if isinstance(edit, AddField):
        return AddField(edit.name, value, edit.at_end, edit.place)
    return ChangeField(edit.name, edit.number, value or None)


# ---------------------------------------------------------------- the envelope


def _address(data: bytes) -> Address:
    """Return an address, with or without angle brackets; parameters after it are ignored."""
    text = split(data)[0].decode("utf-8", "replace").strip() if data else ""
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    try:
        return parse(text) if text else NULL
    except ValueError as error:
        raise ProtocolError("an address that is none") from error


def _recipient(data: bytes) -> Address:
    found = _address(data)
    if found.is_null:
        raise ProtocolError("an address that is none")
    return found


_READERS: dict[bytes, Callable[[bytes], MilterResponse]] = {
    b"y": _reply,
    b"q": _quarantine,
    b"h": _add_field,
    b"i": _insert_field,
    b"m": _change_field,
    b"e": lambda data: ChangeSender(_address(data)),
    b"+": lambda data: AddRecipient(_recipient(data)),
    b"2": lambda data: AddRecipient(_recipient(data)),
    b"-": lambda data: DropRecipient(_recipient(data)),
}
