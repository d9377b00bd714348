"""Tests of twisted_mail.mail.mime.address_pieces."""

import pytest

from twisted_mail.mail.mime.address_pieces import (
    Piece,
    divided,
    end_of_domain,
    phrase,
    phrase_of,
    start_of_local,
)


def pieces_of(text: str) -> list[Piece]:
    """Return the characters as pieces, blanks as white space."""
    return [None if char == " " else char.encode() for char in text]


def test_words_have_one_space_between_them() -> None:
    assert phrase_of(b" a \t b\tc ") == b"a b c"
    assert phrase(pieces_of(" ab c ")) == b"ab c"


def test_white_space_next_to_a_dot_is_no_part_of_an_address() -> None:
    assert divided(pieces_of(" a . b @ c . d "), [7]) == (b"a.b", b"c.d")
    assert divided([b"a . b", None, b"@", b"c"], [2]) == (b"a . b", b"c")


def test_white_space_between_words_stays() -> None:
    assert divided(pieces_of("a b@c d"), [3]) == (b"a b", b"c d")
    assert divided(pieces_of("a b"), []) == (b"a b", b"")


@pytest.mark.parametrize(
    ("text", "local", "domain"),
    [("n l@d", "l", "d"), ("n a . b@d e", "a . b", "d"), ("l @ d . e f", "l ", " d . e")],
)
def test_an_address_ends_at_a_blank_that_no_dot_is_next_to(
    text: str, local: str, domain: str
) -> None:
    at = text.index("@")
    pieces = pieces_of(text)
    assert text[start_of_local(pieces, 0, at) : at] == local
    assert text[at + 1 : end_of_domain(pieces, at)] == domain
