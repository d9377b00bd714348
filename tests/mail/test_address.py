"""Tests of twisted_mail.mail.address."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.address import (
    MAX_DOMAIN,
    MAX_LOCAL,
    NULL,
    Address,
    canonical_name,
    canonical_text,
    parse,
    parse_domain,
    quote,
)


@pytest.mark.parametrize(
    ("text", "local", "domain"),
    [
        ("joe@example.org", "joe", "example.org"),
        ("Joe.Doe+tag@Example.ORG", "Joe.Doe+tag", "example.org"),
        ('"joe"@a', "joe", "a"),
        ('"a \\"b\\" @ c"@a', 'a "b" @ c', "a"),
        ('""@a', "", "a"),
        ("josé@exämple.org", "josé", "xn--exmple-cua.org"),
        ("a@xn--exmple-cua.org", "a", "xn--exmple-cua.org"),
        ("a@[127.0.0.1]", "a", "[127.0.0.1]"),
        ("a@[ipv6:2001:DB8:0::1]", "a", "[IPv6:2001:db8::1]"),
        ("a@under_score.example", "a", "under_score.example"),
        ("a@_dmarc.example", "a", "_dmarc.example"),
        ("a@-x-.example", "a", "-x-.example"),
        ("a@Example.ORG.", "a", "example.org"),
        ("foo..bar@docomo.example", "foo..bar", "docomo.example"),
        ("trail.@a", "trail.", "a"),
        (".lead@a", ".lead", "a"),
        ("SRS0=HHH=TT=sender.example=alice@a", "SRS0=HHH=TT=sender.example=alice", "a"),
        ("x" * MAX_LOCAL + "@a", "x" * MAX_LOCAL, "a"),
    ],
)
def test_addresses_are_read_in_their_normal_form(text: str, local: str, domain: str) -> None:
    assert parse(text) == Address(local, domain)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "joe",
        "joe@",
        "@example.org",
        "joe@a b",
        "joe doe@a",
        "joe@a@b",
        "<joe@a>",
        "joe@a..b",
        "joe@.",
        "joe@-",
        "joe@a.--.b",
        "joe@.a",
        "joe@a..",
        "joe@[127.0.0.1].",
        "joe@" + "x" * 64,
        "joe@" + "a." * 127 + "ab",
        "joe@" + "é." * 100 + "a",  # short as written, long on the wire
        "x" * (MAX_LOCAL + 1) + "@a",
        "é" * 129 + "@a",
        '"open@a',
        '"a"b@a',
        "joe\r\n@a",
        "joe@a\n",
        "jo\x85e@a",
        "jo\x00e@a",
        '"jo\ne"@a',
        "joe@[127.0.0.1",
        "joe@[127.0.0.256]",
        "joe@[]",
        "joe@[IPv6:::1%eth0]",
        "joe@[IPv6:fe80::1%<a b>]",
        "joe@\ud800",
        "jo\ud800e@a",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("@a", "the local part is missing or has characters that need quotes"),
        ("joe", "an address needs an @ and a domain"),
        ("x" * 257 + "@a", "the local part is longer than 256 octets"),
        ("joe@a..b", "the domain is missing or malformed"),
        ("joe@" + "a." * 127 + "ab", "the domain is longer than 255 octets"),
        ("joe@" + "é." * 100 + "a", "the domain is longer than 255 octets"),
        ("joe@" + "x" * 64, "a label of the domain is longer than 63 octets"),
        ("joe@\ud800", "the domain has characters that domains do not have"),
        ("joe@[]", "the address literal is malformed"),
    ],
)
def test_the_fault_of_an_address_is_named(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=f"^{fault}$"):
        parse(text)


def test_the_null_sender_is_empty() -> None:
    assert NULL.is_null
    assert str(NULL) == ""
    assert not Address("", "a").is_null


def test_postmaster_alone_has_no_domain() -> None:
    assert str(Address("Postmaster", "")) == "Postmaster"


def test_local_parts_are_quoted_where_they_must_be() -> None:
    assert str(Address("joe.doe", "a")) == "joe.doe@a"
    assert str(Address("joe doe", "a")) == '"joe doe"@a'
    assert str(parse("foo..bar@a")) == '"foo..bar"@a'
    assert str(parse("trail.@a")) == '"trail."@a'
    assert quote('a"b\\c') == '"a\\"b\\\\c"'


locals_ = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=MAX_LOCAL)
domains = st.from_regex(r"[a-z0-9]{1,9}(\.[a-z0-9]{1,9}){0,4}", fullmatch=True)
LABEL = "-{0,2}[A-Za-z0-9_][A-Za-z0-9_-]{0,6}"  # hyphens alone are refused


@given(locals_, domains)
def test_any_address_comes_back(local: str, domain: str) -> None:
    assert parse(str(Address(local, domain))) == Address(local, domain)


@given(
    st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,30}", fullmatch=True),
    st.from_regex(rf"{LABEL}(\.{LABEL}){{0,4}}\.?", fullmatch=True),
)
def test_what_others_write_without_quotes_is_read_as_it_is(local: str, domain: str) -> None:
    address = parse(f"{local}@{domain}")
    assert address == Address(local, domain.lower().removesuffix("."))
    assert parse(str(address)) == address


@given(st.text(max_size=30) | st.text('ab."\\@[]:%é\n', max_size=20))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse(text)
    except ValueError:
        return
    assert parse(str(address)) == address
    assert parse_domain(address.domain) == address.domain
    assert not re.search(r"[\x00-\x1f\x7f]", str(address))
    assert re.search("[<>]", str(address)) is None or str(address).startswith('"')
    assert len(address.domain) <= MAX_DOMAIN


def test_keys_ignore_case_and_composition() -> None:
    assert parse("Alice.Ä@Example.ORG").key == parse("aLICE.A\u0308@example.org").key
    assert parse("a@example.org").key != parse("a@example.net").key


def test_small_letters_are_composed_where_their_capitals_cannot_be() -> None:
    assert parse("J\u030co@example.org").key == parse("\u01f0o@example.org").key


@given(st.text(max_size=8))
def test_canonical_texts_stay_as_they_are(text: str) -> None:
    once = canonical_text(text)
    assert canonical_text(once) == once
    assert canonical_text(unicodedata.normalize("NFD", text)) == once


@pytest.mark.parametrize("name", ["ALICE@Example.ORG", '"alice"@example.org', "alice@EXAMPLE.org"])
def test_names_have_one_canonical_spelling(name: str) -> None:
    assert canonical_name(name) == "alice@example.org"


@pytest.mark.parametrize("name", ["", "A b", "a@@b", "x" * 999, "@", "A\0"])
def test_what_names_nobody_has_a_canonical_spelling_too(name: str) -> None:
    assert canonical_name(name) == name.lower()


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=20))
def test_every_key_is_its_own_key(local: str) -> None:
    key = Address(local, "example.org").key
    assert Address(local.lower(), "EXAMPLE.org").key == key
