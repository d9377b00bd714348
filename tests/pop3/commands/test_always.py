"""CAPA and QUIT, which every state has."""

import pytest

from tests.pop3.fakes import LOGIN, Pop3Fixture
from twisted_mail.mail.outcome import Unavailable

ONE = b"Subject: one\r\n\r\n.dot\r\n"
TWO = b"Subject: two\r\n\r\na\r\nb\r\nc\r\n"
CAPABILITIES = [
    "TOP",
    "UIDL",
    "PIPELINING",
    "RESP-CODES",
    "AUTH-RESP-CODE",
    "EXPIRE NEVER",
    "IMPLEMENTATION twisted_mail",
]


def said(*chunks, pop3=None, **terms):
    """Return the lines after the greeting."""
    lines = (pop3 or Pop3Fixture()).talk(*chunks, **terms).text.split("\r\n")
    return lines[1:-1]


# ------------------------------------------------------------ CAPA


def test_capabilities_before_and_after_login():
    capabilities = [*CAPABILITIES, "USER", "SASL PLAIN LOGIN", "."]
    replies = said(b"CAPA\r\n" + LOGIN + b"CAPA\r\n")
    assert replies[1:11] == capabilities
    assert replies[14:] == capabilities


def test_capabilities_in_clear_where_passwords_need_tls():
    pop3 = Pop3Fixture()
    replies = said(
        b"CAPA\r\n",
        b"STLS\r\n",
        b"CAPA\r\n",
        pop3=pop3,
        may_start_tls=True,
        takes_passwords=False,
    )
    assert replies[1:10] == [*CAPABILITIES, "STLS", "."]
    assert replies[13:] == [*CAPABILITIES, "USER", "SASL PLAIN LOGIN", "."]


# ------------------------------------------------------------ QUIT


def test_quit_before_login_ends_and_touches_nothing():
    pop3 = Pop3Fixture(b"a\r\n")
    assert said(b"QUIT\r\nUSER alice\r\n", pop3=pop3) == ["+OK Bye"]
    assert pop3.reasons == ["quit"]
    assert pop3.uids == [1]


def test_messages_are_removed_at_quit():
    pop3 = Pop3Fixture(ONE, TWO, ONE)
    assert pop3.replies(b"RETR 1\r\nDELE 1\r\nDELE 3\r\nQUIT\r\n")[-1] == "+OK Bye"
    assert pop3.uids == [2]


def test_messages_are_not_removed_without_quit():
    pop3 = Pop3Fixture(ONE, TWO)
    pop3.talk(LOGIN, b"DELE 1\r\n")
    assert pop3.uids == [1, 2]


def test_nothing_is_removed_when_quit_is_malformed_or_unfinished():
    pop3 = Pop3Fixture(ONE, TWO)
    pop3.talk(LOGIN, b"DELE 1\r\nQUIT now\r\nQUIT")
    assert pop3.uids == [1, 2]


@pytest.mark.parametrize("error", [Unavailable("The disk is away"), ZeroDivisionError()])
def test_a_removal_that_fails_is_an_error_and_nothing_is_lost(error):
    pop3 = Pop3Fixture(ONE, TWO, expunge=error)
    [_, reply] = pop3.replies(b"DELE 1\r\nQUIT\r\nNOOP\r\n")
    assert reply.startswith("-ERR [SYS/TEMP] ")
    assert pop3.uids == [1, 2]
    assert pop3.reasons == ["quit"]
    assert (pop3.mailbox.closed, pop3.logouts) == (1, 1)


def test_nothing_is_run_after_quit():
    pop3 = Pop3Fixture(ONE)
    assert pop3.replies(b"QUIT\r\nDELE 1\r\nQUIT\r\n") == ["+OK Bye"]
    assert pop3.uids == [1]
