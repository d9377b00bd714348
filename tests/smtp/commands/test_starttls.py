"""STARTTLS."""

import pytest

from tests.smtp.fakes import LOGIN, MAIL, SUBMISSION, SmtpFixture, lines, say
from twisted_mail.testing.wire import ScriptedWire

MAIL_ALICE = "MAIL FROM:<alice@example.org>"


def test_tls_begins_anew() -> None:
    wire = ScriptedWire([lines("EHLO c", "STARTTLS"), lines(MAIL, "EHLO c", "STARTTLS")])
    wire.may_start_tls = True
    replies = SmtpFixture().hold(wire)
    assert "250-STARTTLS" in replies
    tls = replies.index("220 2.0.0 Ready to start TLS")
    assert replies[tls + 1].startswith("503 5.5.1 Say EHLO first")
    assert "250-STARTTLS" not in replies[tls:]
    assert replies[-1].startswith("503 5.5.1 TLS is on")


def test_a_login_does_not_survive_starttls() -> None:
    smtp = SmtpFixture()
    wire = ScriptedWire([lines("EHLO c", LOGIN, "STARTTLS"), lines("EHLO c", MAIL_ALICE)])
    wire.may_start_tls = True
    assert smtp.hold(wire, SUBMISSION)[-1].startswith("530")


@pytest.mark.parametrize("behind", [b"MAIL FROM:<a@b.example>\r\n", b"N", b"\r\n"])
def test_what_follows_starttls_in_clear_is_never_run(behind: bytes) -> None:
    smtp = SmtpFixture()
    wire = ScriptedWire([lines("EHLO c", "STARTTLS") + behind, lines("QUIT")])
    wire.may_start_tls = True
    replies = smtp.hold(wire)
    assert replies[-1].startswith("503 5.5.1 Nothing may follow STARTTLS")
    assert wire.tls_info is None
    assert len(wire.script) == 1


def test_starttls_is_refused_where_there_is_no_certificate() -> None:
    assert say("EHLO c", "STARTTLS")[-1].startswith("502 5.5.1")
