import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mime.xtext import decode, decode_unicode, encode, encode_unicode


def test_the_example_of_rfc_4954() -> None:
    assert encode("e=mc2@example.com") == "e+3Dmc2@example.com"
    assert decode("e+3Dmc2@example.com") == "e=mc2@example.com"


@pytest.mark.parametrize("text", ["", "a b", "a=b", "+", "+4", "+4g", "+3d", "\xe4", "\0", "a\n"])
def test_what_is_no_xtext(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not in xtext$"):
        decode(text)


def test_xtext_is_for_ascii() -> None:
    with pytest.raises(ValueError, match=r"^xtext is for ASCII$"):
        encode("\xe4")


@given(st.text(st.characters(max_codepoint=127), min_size=1))
def test_xtext_comes_back(text: str) -> None:
    assert decode(encode(text)) == text


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_utf8_addresses_come_back_through_ascii(text: str) -> None:
    encoded = encode_unicode(text)
    assert encoded.isascii()
    assert decode_unicode(encoded) == text


@pytest.mark.parametrize("number", [0xD7FF, 0xE000, 0x10FFFF])
def test_any_character_has_an_escape(number: int) -> None:
    assert decode_unicode(f"\\x{{{number:X}}}") == chr(number)


@pytest.mark.parametrize("number", [0xD800, 0xDFFF, 0x110000])
def test_what_is_no_character_has_none(number: int) -> None:
    with pytest.raises(ValueError, match=r"^there is no such character$"):
        decode_unicode(f"\\x{{{number:X}}}")


def test_utf8_may_stand_for_itself() -> None:
    assert decode_unicode("jos\xe9@ex\\x{E4}mple.org") == "jos\xe9@ex\xe4mple.org"


@pytest.mark.parametrize(
    "text", ["", "a\\b", "a+b", "a b", "\\x{}", "\\x{110000}", "\\x{D800}", "\\x{e9}", "\x85"]
)
def test_what_is_no_encoded_utf8_address(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"^(not an encoded UTF-8 address|there is no such character)$"
    ):
        decode_unicode(text)
