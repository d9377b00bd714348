"""Words: how texts are cut for the full-text index, and what a substring implies of their words.

Every character is a separator, dense, or a letter (which digits are too), whatever stands around it.
Words of a text are its runs of letters, as long as they go; runs of dense characters, which are of
scripts that put no spaces between words, go in as pairs of neighbours and their last character.

If a text holds a needle, its words meet what ``pieces`` returns of the needle. Proof: the needle's
characters stand in the text one after the other, and are of the same kinds there. So each run in the
needle lies in one run of the text. Where the needle goes on before or after a run, it does with another
kind, so the text's run begins or ends there, too: a run in the middle is a whole word, one at the end is
the beginning of a word, one at the start is somewhere in a word. The pairs of a dense run are pairs of
the text's run, and a single character is the first of a pair, or the last of its run. Words longer than
``LONGEST`` go in as chunks that overlap by half; pieces are at most ``MAX_PIECE`` long, so a piece lies
in a chunk wherever it lies in the word, and the first chunk begins as the word does.

The reverse holds for one word alone (``is_one_word``): a text has such a word only if it holds it.
"""

import re
from collections.abc import Iterator
from operator import add
from typing import NamedTuple

from twisted_mail.mail.mime.folding import beyond_ascii

LONGEST = 8192  # characters of a word, so at most as many octets as FTS5 takes (32,768)
MAX_PIECE = 100  # characters of a needle's run that are looked up
MAX_PIECES = 20  # that are looked up of a needle

# What a piece says of a word, the cheapest to look up first.
IS, BEGINS, HOLDS = range(3)

# Beyond ASCII, of which all but letters and digits separate. Marks that are not composed with a letter
# separate, so that a letter with marks that no font puts together is found by itself.
_SEPARATING = (
    "\x80-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7\u0300-\u036f\u05be\u060c\u061b\u061f\u06d4\u0964\u0965\u1680"
    "\u2000-\u206f\u20a0-\u20cf\u2190-\u25ff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u3030\u3099-\u309c"
    "\u30fb\ud800-\udfff\ufe00-\ufe6f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\ufff0-\uffff"
)
# Thai, Lao, Tibetan, Burmese, Khmer; symbols; kana and ideographs; emoji and ideographs beyond U+FFFF.
_DENSE = (
    "\u0e00-\u109f\u1780-\u17ff\u2600-\u27bf\u3005-\u3007\u3021-\u302f\u3031-\u3098\u309d-\u30fa"
    "\u30fc-\u31ff\u3400-\u9fff\uf900-\ufaff\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
_OTHER_RUN = re.compile(f"[{_SEPARATING}{_DENSE}]+")  # no letters
_SEPARATORS = re.compile(f"[{_SEPARATING}]+")
_DENSE_RUN = re.compile(f"[{_DENSE}]+")
_LETTER = rf"[^\x00-/:-`{{-\x7f{_SEPARATING}{_DENSE}]"
_RUN = re.compile(f"{_LETTER}+|[{_DENSE}]+")
_BLANK = re.compile(r"[ \n]")
_LONG = re.compile(rf"[^\x00-/:-`{{-\x7f]{{{LONGEST + 1},}}")


class Piece(NamedTuple):
    """A part of a word: ``how`` is one of the constants above."""

    how: int
    text: str


# ---------------------------------------------------------------- texts


def indexed(text: str) -> str:
    """Return folded text such that SQLite's tokenizer ``ascii`` cuts it into its words.

    That takes every character beyond ASCII for a letter.
    """
    if not text.isascii() and _OTHER_RUN.search(beyond_ascii(text)):
        text = _OTHER_RUN.sub(_cut, text)
    if "\0" in text:
        text = text.replace("\0", " ")
    if len(text) > LONGEST and _has_long_word(text):
        text = _LONG.sub(_chunked, text)
    return text


def _cut(match: re.Match[str]) -> str:
    return _DENSE_RUN.sub(_paired, _SEPARATORS.sub(" ", match[0]))


def _paired(match: re.Match[str]) -> str:
    run = match[0]
    return f" {' '.join(map(add, run, run[1:]))} {run[-1]} "


def _has_long_word(text: str) -> bool:
    """Return whether there may be one: it would fill one of the stretches without any blank."""
    half = LONGEST // 2
    starts = range(0, len(text) - half + 1, half)
    return any(_BLANK.search(text, start, start + half) is None for start in starts)


def _chunked(match: re.Match[str]) -> str:
    word = match[0]
    return " ".join([word[at : at + LONGEST] for at in range(0, len(word), LONGEST // 2)])


# ---------------------------------------------------------------- needles


def pieces(needle: str) -> tuple[Piece, ...]:
    """Return what the words of every text meet that holds a needle, both folded; perhaps nothing.

    One letter of ASCII somewhere in a word says too little to be looked up.
    """
    return tuple(dict.fromkeys(_pieces(needle)))[:MAX_PIECES]


def _pieces(needle: str) -> Iterator[Piece]:
    for run in _RUN.finditer(needle):
        text, is_last = run[0], run.end() == len(needle)
        if _DENSE_RUN.match(text):
            yield from _dense_pieces(text, is_last)
        elif run.start() > 0:
            is_whole = not is_last and len(text) <= MAX_PIECE
            yield Piece(IS if is_whole else BEGINS, text[:MAX_PIECE])
        elif len(text) > 1 or not text.isascii():
            yield Piece(HOLDS, text[:MAX_PIECE])


def _dense_pieces(text: str, is_last: bool) -> Iterator[Piece]:
    if len(text) == 1:
        yield Piece(BEGINS if is_last else IS, text)
    for pair in map(add, text[:MAX_PIECES], text[1:]):
        yield Piece(IS, pair)


def is_one_word(needle: str) -> bool:
    """Return whether a needle is in every text that has what its only piece says, and in no other."""
    run = _RUN.fullmatch(needle)
    if run is None:
        return False
    return len(needle) <= (2 if _DENSE_RUN.match(needle) else MAX_PIECE)
