import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.imap import response_syntax
from twisted_mail.imap.grammar import Reader


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("INBOX", b"INBOX"),
        ("a b", b'"a b"'),
        ('a"b', b'"a\\"b"'),
        ("", b'""'),
        ("nil", b'"nil"'),
        ("R&D", b"R&-D"),
        ("Entwürfe", b"Entw&APw-rfe"),
        ("100%", b'"100%"'),
        ("[Gmail]/Spam", b'"[Gmail]/Spam"'),
    ],
)
def test_a_mailbox_name_is_an_atom_or_quoted(name: str, written: bytes) -> None:
    assert response_syntax.mailbox_name(name) == written


def test_strings_are_quoted_where_they_can_be() -> None:
    assert response_syntax.string(b'a"\\') == b'"a\\"\\\\"'
    assert response_syntax.string(b"a\r\n") == b"{3}\r\na\r\n"
    assert response_syntax.string(b"\xe4") == b"{1}\r\n\xe4"
    assert response_syntax.string(b"x" * 2000).startswith(b"{2000}\r\n")
    assert response_syntax.quoted('a"\\') == b'"a\\"\\\\"'


def test_flags_have_the_order_of_the_rfc() -> None:
    names = ["b", "\\*", "\\Recent", "a", "\\Seen", "\\Answered"]
    assert response_syntax.flag_list(names) == b"(\\Answered \\Seen \\Recent a b \\*)"


@given(st.binary(max_size=50))
def test_strings_come_back_as_they_were(value: bytes) -> None:
    assert Reader(response_syntax.string(value)).string() == value


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_mailbox_names_come_back_as_they_were(name: str) -> None:
    read = Reader(response_syntax.mailbox_name(name)).mailbox()
    assert read == ("INBOX" if name.upper() == "INBOX" else name)
