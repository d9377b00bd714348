"""Internationalised domains in addresses (RFC 5891): which are taken, and what they become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.address import MAX_DOMAIN, parse, parse_domain


@pytest.mark.parametrize(
    ("domain", "alabels"),
    [
        ("exämple.org", "xn--exmple-cua.org"),
        ("EXÄMPLE.org", "xn--exmple-cua.org"),
        ("exa\u0308mple.org", "xn--exmple-cua.org"),
        ("straße.example", "xn--strae-oqa.example"),
        ("βόλος.example", "xn--nxasmm1c.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("موقع.وزارة", "xn--4gbrim.xn--mgbexc3i"),
        ("क्\u200dष.example", "xn--11b2ezcw70k.example"),
        ("نامه\u200cای.example", "xn--mgba3gch31f060k.example"),
        ("col·lecció.example", "xn--collecci-ioa91d.example"),
        ("α͵ω.example", "xn--wva3jxc.example"),
        ("א״ב.example", "xn--4dbc8h.example"),
        ("ا۱.example", "xn--mgb81b.example"),
        ("ا١.example", "xn--mgb0j.example"),
        ("אָ.example", "xn--gdb1c.example"),
        ("ascii.example", "ascii.example"),
    ],
)
def test_a_domain_gets_an_a_label_for_each_label_that_is_not_ascii(
    domain: str, alabels: str
) -> None:
    assert parse_domain(domain) == alabels
    assert parse(f"a@{domain}").domain == alabels


@pytest.mark.parametrize(
    "label",
    [
        "\u0301a",
        "ab--é",
        "é_",
        "a\u3002é",
        "ｅ",
        "é\u200b",
        "é\u200d",
        "é\u200c",
        "é·",
        "\u202eé",
        "☃",
        "a\u0627",
        "\u0627a",
        "\u06271\u0661",
        "\u0627\u0661\u06f1",
        "é\ud800",
        "\ufe0fé",
        "・é",
        "é" * 60,
    ],
)
def test_what_is_no_label_makes_the_domain_malformed(label: str) -> None:
    with pytest.raises(ValueError, match="domain"):
        parse_domain(f"{label}.example")


@given(
    st.text(
        st.one_of(
            st.characters(min_codepoint=0x80),
            st.sampled_from("aZ-l1·.\u0375\u05f3\u200c\u200d\u094d\u30fb\u0661\u06f1\u05d0αñK"),
        ),
        max_size=70,
    )
)
def test_any_domain_is_ascii_in_its_normal_form_or_refused(text: str) -> None:
    try:
        domain = parse_domain(text)
    except ValueError:
        return
    assert domain.isascii()
    assert len(domain) <= MAX_DOMAIN
    assert parse_domain(domain) == domain
