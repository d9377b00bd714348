"""How conversations end: the last reply, and what the log says of it."""

import pytest

from tests.smtp.fakes import LOGIN, FakeSubmitter, SmtpFixture, lines
from twisted_mail.smtp.settings import Settings, SubmissionSettings
from twisted_mail.testing.wire import PEER, ScriptedWire

STARTTLS = "503 5.5.1 Nothing may follow STARTTLS before TLS is on; closing"


@pytest.mark.parametrize(
    ("said", "reply", "reason"),
    [
        (b"QUIT\r\n", "221 2.0.0 mail.example.org closing connection", "quit"),
        (b"EHLO a\r\nSTARTTLS\r\nNOOP\r\n", STARTTLS, "commands behind STARTTLS"),
        (
            b"EHLO a\r\nBDAT x\r\n",
            "501 5.5.4 Syntax: BDAT octets [LAST]; closing",
            "malformed BDAT",
        ),
        (b"FROB\r\n" * 30, "421 4.7.0 Too many errors; closing", "errors"),
        (b"GET / HTTP/1.1\r\n", "421 4.7.0 This server speaks SMTP; closing", "another protocol"),
    ],
)
def test_a_client_is_told_why_and_so_is_the_log(said: bytes, reply: str, reason: str) -> None:
    smtp = SmtpFixture()
    assert smtp.hold(ScriptedWire([said], may_start_tls=True))[-1] == reply
    assert smtp.events("disconnected") == [("smtp", PEER, reason)]


def test_who_guesses_passwords_is_sent_away() -> None:
    smtp = SmtpFixture()
    wire = ScriptedWire([b"EHLO a\r\n" + b"AUTH PLAIN YSBi\r\n" * 4])
    reply = smtp.hold(wire, SubmissionSettings())[-1]
    assert reply == "421 4.7.0 Too many failed logins; closing"
    assert smtp.events("disconnected") == [("submission", PEER, "failed logins")]


def test_one_conversation_brings_so_many_messages() -> None:
    smtp = SmtpFixture()
    wire = ScriptedWire([b"EHLO a\r\n" + b"MAIL FROM:<>\r\nRSET\r\n" * 3])
    assert smtp.hold(wire, Settings(max_messages=2))[-1] == (
        "421 4.5.3 Too many messages in one conversation; send the rest in another"
    )
    assert smtp.events("disconnected") == [("smtp", PEER, "messages")]


def test_the_log_says_which_protocol_it_was() -> None:
    smtp = SmtpFixture()
    smtp.hold(ScriptedWire([b"GET / HTTP/1.1\r\n"]))
    assert smtp.events("refused") == [("smtp", PEER, "", "it does not speak SMTP: GET")]


def test_a_login_that_is_void_ends_the_conversation() -> None:
    smtp = SmtpFixture(submitter=FakeSubmitter(is_still_valid=False))
    wire = ScriptedWire([lines("EHLO a", LOGIN, "MAIL FROM:<alice@example.org>")])
    reply = smtp.hold(wire, SubmissionSettings())[-1]
    assert reply == "421 4.7.0 The account was removed or disabled; closing"
    assert smtp.events("disconnected") == [("submission", PEER, "login no longer valid")]
