import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.imap.mailboxes.patterns import Pattern, pattern


def fits(text: str, name: str) -> bool:
    return pattern(b"", text.encode()).matches(name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("*", "a/b/c"),
        ("%", "a"),
        ("a/%", "a/b"),
        ("a*c", "a/b/c"),
        ("*%*", "a/b"),
        ("%%", "ab"),
        ("%/%", "a/b"),
        ("inbox", "INBOX"),
        ("iN%", "INBOX"),
        ("inbox/%", "INBOX/a"),
        ("", ""),
        ("a%", "a"),
        ("Entw&APw-rfe", "Entwürfe"),
        ("%&APw-%", "Entwürfe"),
    ],
)
def test_it_fits(text: str, name: str) -> None:
    assert fits(text, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("%", "a/b"),
        ("a/%", "a"),
        ("a/%", "a/b/c"),
        ("a", "A"),
        ("a*b", "abc"),
        ("", "a"),
        ("%a", "INBOX"),
        ("&Jjo", "☺"),
        ("inboxes", "INBOX"),
    ],
)
def test_it_does_not_fit(text: str, name: str) -> None:
    assert not fits(text, name)


@pytest.mark.parametrize("octets", [b"Entw\xc3\xbcrfe", b"Entw\xfc%", b"\xff*"])
def test_octets_beyond_ascii_fit_no_name(octets: bytes) -> None:
    names = ("Entw\xfcrfe", "Entw\xc3\xbcrfe", "\xff", "\xffa", "Entwrfe")
    assert not any(pattern(b"", octets).matches(name) for name in names)


def test_the_reference_comes_first() -> None:
    assert pattern(b"a/", b"%").matches("a/b")
    assert not pattern(b"a/", b"%").matches("b")
    assert pattern(b"in", b"box").matches("INBOX")


def test_many_wildcards_take_no_time() -> None:
    began = time.perf_counter()
    assert not Pattern("a%*" * 2000 + "b").matches("a" * 1000)
    assert time.perf_counter() - began < 1


@given(st.text("ab/*%", max_size=8), st.text("ab/", max_size=10))
def test_it_agrees_with_the_slow_way(text: str, name: str) -> None:
    slow = "".join({"*": ".*", "%": "[^/]*"}.get(each, re.escape(each)) for each in text)
    assert Pattern(text).matches(name) == (re.fullmatch(slow, name) is not None)
