"""Sections: which octets of a message a part specifier names (RFC 3501 §6.4.5)."""

from collections.abc import Sequence
from enum import Enum
from typing import Protocol, Self, TypeVar


class PartSection(Enum):
    """Which octets of a part are meant."""

    ALL = "all"  # the content of a part; with an empty path, the whole message
    HEADER = "header"
    TEXT = "text"
    MIME = "mime"


class PartNode(Protocol):
    """What finding a section needs of a part (see ``structure.Part``)."""

    @property
    def start(self) -> int:
        """Return where the part begins, with its header."""

    @property
    def body(self) -> int:
        """Return where its content begins."""

    @property
    def stop(self) -> int:
        """Return where its content ends."""

    @property
    def is_multipart(self) -> bool:
        """Return whether the content is parts between boundaries."""

    @property
    def is_message(self) -> bool:
        """Return whether the content is a message, the only child."""

    @property
    def children(self) -> Sequence[Self]:
        """Return the parts directly within."""


N = TypeVar("N", bound=PartNode)


def find(root: N, path: Sequence[int]) -> N | None:
    """Return the part with these section numbers, or None. The empty path is the message itself."""
    part, is_message_itself = root, True
    for number in path:
        if not is_message_itself and part.is_message:
            part, is_message_itself = part.children[0], True
        if part.is_multipart:
            if not 0 < number <= len(part.children):
                return None
            part, is_message_itself = part.children[number - 1], False
        elif number == 1 and is_message_itself:
            is_message_itself = False
        else:
            return None
    return part


def locate(
    root: PartNode, path: Sequence[int], kind: PartSection = PartSection.ALL
) -> tuple[int, int] | None:
    """Return the offsets of a section, or None where the message has no such section.

    ``HEADER`` and ``TEXT`` are those of the message with an empty path, else of the message inside a
    ``message/rfc822`` part. A multipart without parts has an empty first one, as BODYSTRUCTURE shows it.
    """
    part = find(root, path)
    if part is None:
        is_own = kind in (PartSection.ALL, PartSection.MIME)
        return _empty_part(root, path) if is_own else None
    if kind is PartSection.ALL:
        return (part.body, part.stop) if path else (part.start, part.stop)
    if kind is PartSection.MIME:
        return (part.start, part.body) if path else None
    if path:
        if not part.is_message:
            return None
        part = part.children[0]
    return (part.start, part.body) if kind is PartSection.HEADER else (part.body, part.stop)


def _empty_part(root: PartNode, path: Sequence[int]) -> tuple[int, int] | None:
    """Return where the first part of a multipart without parts would be, if that is what a path names."""
    if path[-1] != 1:
        return None
    parent = find(root, path[:-1])
    if parent is not None and len(path) > 1 and parent.is_message:
        parent = parent.children[0]
    if parent is None or not parent.is_multipart or parent.children:
        return None
    return parent.stop, parent.stop
