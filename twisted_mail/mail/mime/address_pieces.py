"""Pieces of an element in a list of addresses: what is a name, a local part and a domain."""

import re
from collections.abc import Sequence

_BLANKS = re.compile(rb"\s\s++|[^\S ]")

JOINING = frozenset((b".", b"@"))  # blanks next to them are within an address
Piece = bytes | None  # a word or a special octet; None stands for white space


def phrase_of(words: bytes) -> bytes:
    """Return the words of a name with one space between them (RFC 5322 §3.2.2)."""
    return _BLANKS.sub(b" ", words.strip())


def phrase(pieces: Sequence[Piece]) -> bytes:
    """Return pieces as the words of a name."""
    return b"".join([b" " if piece is None else piece for piece in pieces]).strip()


def divided(pieces: Sequence[Piece], ats: Sequence[int]) -> tuple[bytes, bytes]:
    """Return local part and domain.

    White space next to a dot or an @ has no meaning (RFC 5322 §4.4). Between words it stays, for without
    it this would be an address of somebody else.
    """
    at = ats[0] if ats else len(pieces)
    return _without_blanks(pieces[:at]), _without_blanks(pieces[at + 1 :])


def _without_blanks(pieces: Sequence[Piece]) -> bytes:
    """Return pieces without white space at their ends and next to a dot or an @."""
    kept: list[bytes] = []
    is_parted = False
    for piece in pieces:
        if piece is not None:
            if is_parted and kept and JOINING.isdisjoint((piece, kept[-1])):
                kept.append(b" ")
            kept.append(piece)
        is_parted = piece is None
    return b"".join(kept)


def start_of_local(pieces: Sequence[Piece], start: int, at: int) -> int:
    """Return where the local part before an @ begins: words between dots, with blanks or without."""
    first = at
    while first > start:
        if pieces[first - 1] is None and first < at:
            before = pieces[first - 2] if first - 2 >= start else None
            if b"." not in (before, pieces[first]):
                break
        first -= 1
    return first


def end_of_domain(pieces: Sequence[Piece], at: int) -> int:
    """Return where the domain after an @ ends: at a blank that no dot is next to."""
    end, last = at + 1, pieces[at]
    while end < len(pieces):
        piece = pieces[end]
        if piece is not None:
            last = piece
        elif last not in JOINING and (end + 1 == len(pieces) or pieces[end + 1] not in JOINING):
            break
        end += 1
    return end
