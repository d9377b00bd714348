"""Tests of twisted_mail.mail.mime.folding."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mime import folding
from twisted_mail.mail.mime.folding import folded


def test_case_and_composition_do_not_matter() -> None:
    for text in ("Straße", "STRASSE", "strasse"):
        assert folded(text) == "strasse"
    for text in ("Ünïcödé", "한글", "が"):
        assert folded(unicodedata.normalize("NFD", text)) == folded(text)


@given(st.text("aE\u0301\u0302\u1100\u1161\u11a8\u00df\u0130x", max_size=60), st.integers(1, 20))
def test_text_folded_in_pieces_is_the_same(text: str, size: int) -> None:
    whole = folding.folded(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folding, "PIECE", size)
        assert folding.folded(text) == whole
