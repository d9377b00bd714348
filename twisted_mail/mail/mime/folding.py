"""Text as SEARCH compares it: without case, and each character in its plain form.

That is nearly i;unicode-casemap (RFC 5051 §2), which Dovecot compares by: full-width letters, no-break
spaces, ligatures and the like become what people type for them. But a letter stays composed with its
marks, so that ``u`` is not found in ``ü``.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple

PIECE = 64 * 1024  # characters handled in one step, during which no other thread can run
MOST = 4  # characters that may come from one: a text of ligatures is not to grow without measure
_FRACTION = "\u2044"  # the slash of fractions, which are an octet each in Latin-1; nobody types it

# Where Unicode has characters that NFKC replaces. A test looks for others.
_CANDIDATES = ((0xA0, 0x3400), (0xA000, 0xAC00), (0xF900, 0x20000), (0x2F800, 0x2FA20))
_NEAR = 0x100  # code points: beyond U+FFFF ranges so close are tested as one, which is faster

# A text of which one character in so many is not ASCII, and of how few kinds these are.
_SPARSE, _FEW_KINDS = 8, 30

_ASCII = bytes(range(0x80))
_MARKS = "\u0300-\u036f\u3099\u309a"
_JAMO = "\u1161-\u1175\u11a8-\u11c2"  # vowels and final consonants
_CLUSTER = re.compile(
    f"[^{_MARKS}][{_MARKS}]{{1,30}}+|[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?"
)
_LATER = re.compile(f"[{_MARKS}{_JAMO}]")  # what is composed with the character before it
_LONGEST_CLUSTER = 32


def folded(text: str) -> str:
    """Return the text for comparison, in linear time.

    Only short clusters are composed: ``unicodedata.normalize`` is quadratic in long ones.
    """
    if text.isascii():
        return text.lower()
    return "".join(map(_fold, _pieces(text)))


def _pieces(text: str) -> Iterator[str]:
    """Yield the text in pieces that do not separate a letter from its marks."""
    joined = _plain_forms().joined
    position = 0
    while position < len(text):
        stop = position + PIECE
        while stop < position + PIECE + _LONGEST_CLUSTER and joined.match(text, stop):
            stop += 1
        yield text[position:stop]
        position = stop


def _fold(piece: str) -> str:
    """Fold a piece; what is to be done is found out from its characters beyond ASCII, which are few."""
    forms = _plain_forms()
    special = beyond_ascii(piece)
    if forms.odd.search(special):
        piece, special = _in_plain_forms(piece), _in_plain_forms(special)
    plain = _casefolded(piece, special)
    return _CLUSTER.sub(_compose, plain) if _LATER.search(special.casefold()) else plain


def _in_plain_forms(text: str) -> str:
    forms = _plain_forms()
    return forms.odd.sub(lambda match: match[0].translate(forms.plain), text)


def _casefolded(text: str, special: str) -> str:
    """Return ``text.casefold()``, in a third of the time where few characters are ``special``.

    What a character becomes stays as it is when it is folded again, so they are replaced in any order.
    """
    capitals = set(special) if len(special) * _SPARSE < len(text) else None
    if capitals is None or len(capitals) > _FEW_KINDS:
        return text.casefold()
    text = text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")
    for character in capitals:
        text = text.replace(character, character.casefold())
    return text


def beyond_ascii(text: str) -> str:
    """Return the characters of a text that are not ASCII, in a tenth of the time that a pattern takes."""
    octets = text.encode("utf-8", "surrogatepass").translate(None, _ASCII)
    return octets.decode("utf-8", "surrogatepass")


def _compose(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", match[0])


# ---------------------------------------------------------------- plain forms


class PlainForms(NamedTuple):
    """What each character that is not plain becomes.

    ``odd`` finds runs of such characters, ``joined`` one character that may be composed with another
    before it.
    """

    plain: dict[int, str]
    odd: re.Pattern[str]
    joined: re.Pattern[str]


@cache
def _plain_forms() -> PlainForms:
    """Make the table, at first use: that takes some hundredths of a second."""
    plain = {}
    for code in chain.from_iterable(range(*limits) for limits in _CANDIDATES):
        form = plain_form(chr(code))
        if form is not None:
            plain[code] = form
    ranges = [f"{re.escape(chr(low))}-{re.escape(chr(high))}" for low, high in _ranges(list(plain))]
    odd = re.compile(f"[{''.join(ranges)}]+")
    later = "".join([re.escape(chr(code)) for code, form in plain.items() if _LATER.match(form)])
    return PlainForms(plain, odd, re.compile(f"[{_MARKS}{_JAMO}{later}]"))


def plain_form(character: str) -> str | None:
    """Return what one character becomes; None if it stays as it is.

    An accent that stands alone does: as a space with a mark it would be found by a space. So do
    fractions, and what is short for a whole word.
    """
    if not unicodedata.decomposition(character):
        return None
    form = unicodedata.normalize("NFKC", character)
    is_accent = form[0] == " " and len(form) > 1
    is_odd = is_accent or _FRACTION in form or len(form) > MOST
    return None if form == character or is_odd else form


def _ranges(codes: Sequence[int]) -> list[list[int]]:
    """Return first and last of runs of ascending code points."""
    found: list[list[int]] = []
    for code in codes:
        nearest = code - (_NEAR if code > 0xFFFF else 1)
        if found and found[-1][1] >= nearest:
            found[-1][1] = code
        else:
            found.append([code, code])
    return found
