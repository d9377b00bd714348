"""Tests of twisted_mail.store.search.words: no text that holds a needle is missed."""

import apsw
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twisted_mail.mail.mime.folding import folded
from twisted_mail.store.search.words import (
    BEGINS,
    HOLDS,
    IS,
    LONGEST,
    MAX_PIECE,
    Piece,
    indexed,
    is_one_word,
    pieces,
)

# Letters, digits and separators of ASCII; letters, marks, blanks and signs beyond; scripts without
# spaces; half of a surrogate pair; characters that folding replaces.
ALPHABET = "aB1 .@-_\n\0"
ALPHABET += "éßİıΣςﬁК\u0301\u0338\u00a0…“—\u200b\u0e01\u0e31日本語カﾞＡ한글😀\U00020000\ud800\ufffd"
texts = st.text(alphabet=ALPHABET, max_size=30) | st.text(max_size=10)
TABLE = "CREATE VIRTUAL TABLE texts USING fts5(words, detail=none, tokenize='ascii')"


@pytest.fixture(scope="module")
def database() -> apsw.Connection:
    found = apsw.Connection(":memory:")
    found.execute(TABLE)
    found.execute("CREATE VIRTUAL TABLE vocabulary USING fts5vocab(texts, row)")
    return found


def words_of(database: apsw.Connection, text: str) -> set[str]:
    """Return the words of a folded text as SQLite cuts it."""
    database.execute("DELETE FROM texts")
    database.execute("INSERT INTO texts VALUES (?)", (indexed(text),))
    return {word for (word,) in database.execute("SELECT term FROM vocabulary")}


def meets(words: set[str], piece: Piece) -> bool:
    how = {IS: str.__eq__, BEGINS: str.startswith, HOLDS: str.__contains__}[piece.how]
    return any(how(word, piece.text) for word in words)


@given(texts, texts, texts)
@example("", "", "")
@example("x", "y" * MAX_PIECE + "z", "")
@example(". ", "y" * (MAX_PIECE + 1) + ".", "")
def test_words_of_a_text_meet_all_that_a_needle_in_it_implies(
    database: apsw.Connection, before: str, needle: str, after: str
):
    needle = folded(needle)
    words = words_of(database, folded(before) + needle + folded(after))
    assert all(meets(words, piece) for piece in pieces(needle))


@given(texts, texts | st.text(alphabet=ALPHABET, min_size=1, max_size=2))
def test_a_text_with_the_word_of_a_needle_holds_it(
    database: apsw.Connection, text: str, needle: str
):
    text, needle = folded(text), folded(needle)
    found = pieces(needle)
    if is_one_word(needle) and found:
        [piece] = found
        assert meets(words_of(database, text), piece) == (needle in text)


@pytest.mark.parametrize("letter", ["x", "é", "\U0001d504"])
@pytest.mark.parametrize("size", [LONGEST, LONGEST + 1, 3 * LONGEST + 7])
def test_a_very_long_word_is_found_by_all_its_parts(
    database: apsw.Connection, letter: str, size: int
):
    word = "".join(letter + str(number) for number in range(size // 5))[:size]
    word += letter * (size - len(word))
    words = words_of(database, f"one {word}\ntwo")
    assert "one" in words
    assert max(map(len, words)) <= LONGEST
    for at in range(0, size - MAX_PIECE, 997):
        assert meets(words, Piece(HOLDS, word[at : at + MAX_PIECE]))
    assert meets(words, Piece(HOLDS, word[-MAX_PIECE:]))
    assert all(meets(words, piece) for piece in pieces(f" {word} "))


def test_no_blank_of_any_kind_hides_how_long_a_word_is(database: apsw.Connection):
    blanks = [chr(code) for code in range(0x110000) if chr(code).isspace()]
    for blank in blanks:
        assert len(words_of(database, f"one{blank}two")) == 2, blank


def test_pieces_at_both_ends_say_less_than_those_between():
    assert pieces("one two.three") == (
        Piece(HOLDS, "one"),
        Piece(IS, "two"),
        Piece(BEGINS, "three"),
    )
    assert pieces(" one ") == (Piece(IS, "one"),)


def test_scripts_without_spaces_are_looked_up_in_pairs():
    assert pieces("日本語") == (Piece(IS, "日本"), Piece(IS, "本語"))
    assert pieces("x日") == (Piece(BEGINS, "日"),)
    assert pieces("日x") == (Piece(IS, "日"), Piece(BEGINS, "x"))
    assert is_one_word("日本")
    assert not is_one_word("日本語")


def test_a_letter_of_ascii_alone_is_not_looked_up():
    assert pieces("e") == ()
    assert pieces("e mail") == (Piece(BEGINS, "mail"),)
    assert pieces("ß") == (Piece(HOLDS, "ß"),)
