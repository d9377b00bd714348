"""Text as SEARCH compares it: letters without case, composed with their marks."""

import re
import unicodedata
from collections.abc import Iterator

PIECE = 64 * 1024  # characters handled in one step, during which no other thread can run

_MARKS = "\u0300-\u036f\u3099\u309a"
_CLUSTER = re.compile(
    f"[^{_MARKS}][{_MARKS}]{{1,30}}+|[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?"
)

_JOINED = re.compile(f"[{_MARKS}\u1161-\u1175\u11a8-\u11c2]")
_LONGEST_CLUSTER = 32


def folded(text: str) -> str:
    """Return the text for comparison without case, letters and their marks composed.

    Only short clusters are composed: ``unicodedata.normalize`` is quadratic in long ones.
    """
    if text.isascii():
        return text.lower()
    return "".join([_CLUSTER.sub(_compose, piece.casefold()) for piece in _pieces(text)])


def _pieces(text: str) -> Iterator[str]:
    """Yield the text in pieces that do not separate a letter from its marks."""
    position = 0
    while position < len(text):
        stop = position + PIECE
        while stop < position + PIECE + _LONGEST_CLUSTER and _JOINED.match(text, stop):
            stop += 1
        yield text[position:stop]
        position = stop


def _compose(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", match[0])
