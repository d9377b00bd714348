"""Outlines: where the parts of a message lie, without their content.

An outline is small enough to be kept of every message, so that one part of a large message is read
without the rest of it.
"""

from array import array
from collections.abc import Sequence
from typing import overload

from twisted_mail.mail.mime.structure import Part

# The numbers of one part: what it is, how many parts are within it, its start, body and stop.
_NUMBERS = 5
_LEAF, _MESSAGE, _MULTIPART = 0, 1, 2  # and more: 2 plus the number of parts of a multipart


class Outline:
    """The parts of one message, in the order of its octets, as numbers."""

    __slots__ = ("_numbers",)

    def __init__(self, encoded: bytes) -> None:
        """Take what ``encode_outline`` made."""
        self._numbers = array("Q", map(int, encoded.split()))

    @property
    def root(self) -> "OutlinePart":
        """Return the part that is the message itself."""
        return OutlinePart(self._numbers, 0)


class OutlinePart:
    """Where one part lies. Fulfils ``mail.mime.sections.PartNode``, as a ``Part`` does."""

    __slots__ = ("_at", "_numbers")

    def __init__(self, numbers: "array[int]", at: int) -> None:
        self._numbers = numbers
        self._at = at

    @property
    def start(self) -> int:
        """Return where the part begins, with its header."""
        return self._numbers[self._at + 2]

    @property
    def body(self) -> int:
        """Return where its content begins."""
        return self._numbers[self._at + 3]

    @property
    def stop(self) -> int:
        """Return where its content ends."""
        return self._numbers[self._at + 4]

    @property
    def is_multipart(self) -> bool:
        """Return whether the content is parts between boundaries."""
        return self._numbers[self._at] >= _MULTIPART

    @property
    def is_message(self) -> bool:
        """Return whether the content is a message."""
        return self._numbers[self._at] == _MESSAGE

    @property
    def children(self) -> "Children":
        """Return the parts directly within."""
        return Children(self._numbers, self._at)


class Children(Sequence[OutlinePart]):
    """The parts directly within a part: found one after the other, and not kept."""

    __slots__ = ("_numbers", "_parent")

    def __init__(self, numbers: "array[int]", parent: int) -> None:
        self._numbers = numbers
        self._parent = parent

    def __len__(self) -> int:
        what = self._numbers[self._parent]
        return what - _MULTIPART if what >= _MULTIPART else what

    @overload
    def __getitem__(self, number: int) -> OutlinePart: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[OutlinePart]: ...
    def __getitem__(self, number: int | slice) -> OutlinePart | Sequence[OutlinePart]:
        if isinstance(number, slice):
            return list(self)[number]
        if not 0 <= number < len(self):
            raise IndexError
        at = self._parent + _NUMBERS
        for _ in range(number):
            at += _NUMBERS * (1 + self._numbers[at + 1])
        return OutlinePart(self._numbers, at)


def encode_outline(parts: Sequence[Part]) -> bytes:
    """Return the outline of a message as octets, some twenty for each part.

    ``parts`` are all parts, in the order of the octets.
    """
    written = []
    within: dict[int, int] = {}
    for part in reversed(parts):  # parts come after those that contain them
        inside = sum([1 + within[id(child)] for child in part.children])
        within[id(part)] = inside
        numbers = _what(part), inside, part.start, part.body, part.stop
        written.append(b"%d %d %d %d %d" % numbers)
    written.reverse()
    return b" ".join(written)


def _what(part: Part) -> int:
    if part.is_multipart:
        return _MULTIPART + len(part.children)
    return _MESSAGE if part.is_message else _LEAF
