"""Tests of twisted_mail.mail.mime.folding."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mime import folding
from twisted_mail.mail.mime.folding import beyond_ascii, folded


def test_case_and_composition_do_not_matter() -> None:
    for text in ("Straße", "STRASSE", "strasse"):
        assert folded(text) == "strasse"
    for text in ("Ünïcödé", "한글", "が"):
        assert folded(unicodedata.normalize("NFD", text)) == folded(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ＦＵＬＬ－ｗｉｄｔｈ　１２３", "full-width 123"),
        ("10\u00a0000\u202f€", "10 000 €"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("oﬃce", "office"),
        ("ℌ x² № …", "h x2 no ..."),
        ("㈱ ㍿", "(株) 株式会社"),
        ("\ufa0c", "\u5140"),
        ("ςΣσ", "σσσ"),
        ("\u212b\u2126\u212a", "åωk"),
    ],
)
def test_characters_are_compared_in_their_plain_form(text: str, plain: str) -> None:
    assert folded(text) == plain


def test_a_letter_without_its_mark_is_another() -> None:
    assert "u" not in folded("Über u\u0308ber")


@pytest.mark.parametrize("character", "½㌖﷽")
def test_what_nobody_would_type_at_length_stays_as_it_is(character: str) -> None:
    assert folded(character) == character


@pytest.mark.parametrize("accent", "´¨¯゛")
def test_an_accent_that_stands_alone_is_no_space(accent: str) -> None:
    assert folded(f"a{accent}b") == f"a{accent}b"


def test_one_character_never_becomes_many() -> None:
    assert max(len(folded(chr(code))) for code in range(0x110000)) == folding.MOST


def test_every_character_is_looked_at_that_unicode_gives_a_plain_form() -> None:
    found = {code: form for code in range(0x110000) if (form := folding.plain_form(chr(code)))}
    assert found == folding._plain_forms().plain


def test_what_is_folded_stays_as_it_is() -> None:
    for code in folding._plain_forms().plain:
        once = folded(chr(code))
        assert folded(once) == once


ODD = "aE\u0301\u0302\u1100\u1161\u11a8\u00df\u0130xㄱㅏㄳｶﾞﾡￂﾣ\u0344\u1fee"


@given(st.text(ODD, max_size=60), st.integers(1, 20))
def test_text_folded_in_pieces_is_the_same(text: str, size: int) -> None:
    whole = folding.folded(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folding, "PIECE", size)
        assert folding.folded(text) == whole


@given(st.text() | st.text(alphabet="a\x7f\x80é\ud800\udc00日😀"))
def test_what_is_beyond_ascii_is_found(text: str) -> None:
    assert beyond_ascii(text) == "".join(char for char in text if char > "\x7f")


def test_case_is_folded_once() -> None:
    """Characters are replaced in any order, so none may become what another one is replaced in."""
    for code in range(sys.maxunicode + 1):
        folded_once = chr(code).casefold()
        assert folded_once.casefold() == folded_once


@given(
    st.lists(
        st.sampled_from(["Straße", "İstanbul", "ǰ", "ẞ", "Ⅷ", "ﬁ", "À", "E\u0301", "中", "\ud800"]),
        max_size=5,
    )
)
def test_few_characters_beyond_ascii_are_folded_as_many_are(words: list[str]) -> None:
    text = " ".join(words)
    few = folded(f"{text} {'Z' * 100}")
    assert few.removesuffix(f" {'z' * 100}") == folded(text)
