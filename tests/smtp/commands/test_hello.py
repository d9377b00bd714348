"""HELO and EHLO."""

import pytest

from tests.smtp.fakes import HELLO, MAIL, RCPT, SUBMISSION, SmtpFixture, lines, say
from twisted_mail.smtp.settings import Settings
from twisted_mail.testing.wire import ScriptedWire


def test_ehlo_lists_what_is_offered() -> None:
    assert say("EHLO c") == [
        "250-mail.example.org",
        "250-PIPELINING",
        "250-SIZE 52428800",
        "250-ENHANCEDSTATUSCODES",
        "250-8BITMIME",
        "250-SMTPUTF8",
        "250-CHUNKING",
        "250-BINARYMIME",
        "250-LIMITS RCPTMAX=1000",
        "250 HELP",
    ]


def test_ehlo_offers_expn_where_it_is_answered() -> None:
    assert "250-EXPN" in say("EHLO c", settings=Settings(expn_for="everyone"))


def test_ehlo_offers_tls_where_there_is_a_certificate_and_logins_to_submitters() -> None:
    wire = ScriptedWire([lines("EHLO c")])
    wire.may_start_tls = True
    replies = SmtpFixture().hold(wire, SUBMISSION)
    assert "250-STARTTLS" in replies
    assert "250-AUTH PLAIN ENDLESS" in replies


def test_ehlo_offers_no_password_in_clear() -> None:
    wire = ScriptedWire([lines("EHLO c")])
    wire.takes_passwords = False
    assert "250-AUTH ENDLESS" in SmtpFixture().hold(wire, SUBMISSION)


@pytest.mark.parametrize("hello", ["EHLO c", "HELO c"])
def test_a_new_greeting_forgets_the_transaction(hello: str) -> None:
    assert say(HELLO, MAIL, RCPT, hello, "DATA")[-1].startswith("503")


def test_a_greeting_without_name_changes_nothing() -> None:
    replies = say(HELLO, MAIL, "EHLO", RCPT)
    assert [reply[:9] for reply in replies[2:]] == ["501 5.5.4", "250 2.1.5"]
