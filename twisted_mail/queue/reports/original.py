"""The message that a report is about: what its header says, and what of it can go back."""

import re
from dataclasses import dataclass

from twisted_mail.mail.message import Message
from twisted_mail.mail.mime import header

MAX_HEADER = 32 * 1024  # octets of a header that are read, and returned
_MAX_REFERENCES = 20
_NAMES = frozenset(
    (b"subject", b"message-id", b"references", b"auto-submitted", b"precedence", b"list-id")
)
_MESSAGE_ID = re.compile(rb"<[!-;=?-~]{1,250}>")
_BULK = frozenset((b"bulk", b"list", b"junk"))


@dataclass(frozen=True, slots=True)
class OriginalMessage:
    """A message that is reported: its header without the empty line, and its octets if they are few.

    ``content`` is None for a message that is larger than what is returned. ``references`` has the ids
    of the messages that it answers and then its own, in angle brackets (RFC 5322 §3.6.4).
    """

    header: bytes
    content: bytes | None = None
    subject: str = ""
    references: tuple[str, ...] = ()
    is_automatic: bool = False


def read_original(message: Message, most: int) -> OriginalMessage:
    """Return what a report needs of a message of which at most ``most`` octets go back. May block."""
    content = message.read() if message.size <= most else None
    beginning = _beginning(message) if content is None else content
    head = _cut(beginning[: header.end(beginning)])
    values = header.values(head, 0, len(head), _NAMES)
    return OriginalMessage(
        head,
        content,
        header.text(values.get(b"subject", [b""])[0]),
        _references(values),
        _is_automatic(values),
    )


def _beginning(message: Message) -> bytes:
    data = bytearray()
    for piece in message.pieces():
        data += piece[: MAX_HEADER + 4]
        if len(data) > MAX_HEADER:
            break
    return bytes(data)


def _cut(head: bytes) -> bytes:
    """Return a header without the empty line at its end, and without lines beyond the limit."""
    lines = head[:MAX_HEADER].splitlines(keepends=True)
    if len(head) > MAX_HEADER and len(lines) > 1:
        lines.pop()
    while lines and not lines[-1].strip(b"\r\n"):
        lines.pop()
    return b"".join(lines)


def _references(values: dict[bytes, list[bytes]]) -> tuple[str, ...]:
    own = _MESSAGE_ID.findall(values.get(b"message-id", [b""])[0])[:1]
    if not own:
        return ()
    earlier = _MESSAGE_ID.findall(values.get(b"references", [b""])[0])
    found = dict.fromkeys([*earlier[-_MAX_REFERENCES:], *own])
    return tuple(one.decode("ascii") for one in found)


def _is_automatic(values: dict[bytes, list[bytes]]) -> bool:
    """Return whether a program wrote the message, or it goes to many (RFC 3834 §2, §5)."""
    submitted = values.get(b"auto-submitted", [b"no"])[0]
    precedence = values.get(b"precedence", [b""])[0]
    word = submitted.partition(b";")[0].partition(b"(")[0].strip().lower()
    return word != b"no" or precedence.strip().lower() in _BULK or b"list-id" in values
