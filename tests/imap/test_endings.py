"""How conversations end: the last words, and what the log says of them."""

import pytest

from tests.imap.talk import ImapFixture
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.wire import PEER


@pytest.mark.parametrize(
    ("said", "farewell", "reason"),
    [
        (
            b"a STARTTLS\r\nb NOOP\r\n",
            "Nothing may follow STARTTLS before TLS is on",
            "commands behind STARTTLS",
        ),
        (b"a FROB\r\n" * 30, "Too many bad commands", "errors"),
        (b"a LOGIN alice x\r\n" * 9, "Too many failed logins", "failed logins"),
        (b"a " + b"x" * 100_000, "Too much data", "flood"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", "This server speaks IMAP", "another protocol"),
    ],
)
def test_a_client_is_told_why_and_so_is_the_log(said: bytes, farewell: str, reason: str) -> None:
    imap = ImapFixture()
    assert imap.talk(said, tls=True)[-1] == f"* BYE {farewell}"
    assert imap.events("disconnected") == [("imap", PEER, reason)]


def test_logout_has_both() -> None:
    imap = ImapFixture()
    assert imap.talk("a LOGOUT") == ["* BYE Logging out", "a OK LOGOUT completed."]
    assert imap.events("disconnected") == [("imap", PEER, "quit")]


def test_a_selected_mailbox_that_is_deleted_ends_the_conversation() -> None:
    imap = ImapFixture()
    lines = imap.inside("a SELECT Sent", lambda: finish(imap.account.delete("Sent")), "b NOOP")
    assert lines[-1] == "* BYE The selected mailbox was deleted"
    assert imap.events("disconnected") == [("imap", PEER, "mailbox deleted")]


def test_a_login_that_is_void_ends_the_conversation() -> None:
    imap = ImapFixture()

    def is_removed() -> None:
        imap.faces[0].is_still_valid = False

    lines = imap.inside(is_removed, "b NOOP")
    assert lines == [
        "b NO [EXPIRED] The account was removed or disabled",
        "* BYE The account was removed or disabled",
    ]
    assert imap.events("disconnected") == [("imap", PEER, "login no longer valid")]


def test_the_log_says_which_protocol_it_was() -> None:
    imap = ImapFixture()
    imap.talk(b"GET / HTTP/1.1\r\nHost: x\r\n")
    assert imap.events("refused") == [("imap", PEER, "", "it does not speak IMAP: HTTP")]
