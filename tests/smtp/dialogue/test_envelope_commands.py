"""MAIL and RCPT with what a host offers."""

import pytest

from tests.dialogues.sent_mail import parsed
from twisted_mail.mail.envelope import DsnRequest, MailParameters
from twisted_mail.mail.message import MemoryBlob
from twisted_mail.mail.queued.job import OwedRecipient
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.smtp.dialogue.capabilities import NOTHING_OFFERED, Capabilities
from twisted_mail.smtp.dialogue.envelope_commands import mail_command, rcpt_command
from twisted_mail.smtp.dialogue.fitting import FittedMessage

ALL = Capabilities(has_size=True, has_8bit=True, has_utf8=True, has_dsn=True)
FITTED = FittedMessage(b"", MemoryBlob(b""), 7, is_8bit=True, is_utf8=True)


def test_mail_has_what_is_offered() -> None:
    wishes = MailParameters(returns="HDRS", envid="a+2Bb")
    sender = parsed("alice@example.org")
    command = "MAIL FROM:<alice@example.org> SIZE=7 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb"
    assert mail_command(sender, wishes, FITTED, ALL) == command
    plain = FittedMessage(b"", MemoryBlob(b""), 7)
    assert mail_command(sender, wishes, plain, NOTHING_OFFERED) == "MAIL FROM:<alice@example.org>"


def test_the_null_sender_is_written_as_such() -> None:
    plain = FittedMessage(b"", MemoryBlob(b""), 7)
    assert mail_command(parsed("<>"), MailParameters(), plain, NOTHING_OFFERED) == "MAIL FROM:<>"


def owed(request: DsnRequest, to: str = "bob@example.org", original: str = "") -> OwedRecipient:
    first = parsed(original) if original else None
    return OwedRecipient(1, RemoteTarget(parsed(to)), request, first)


def test_addresses_that_need_quotes_have_them() -> None:
    recipient = owed(DsnRequest(), '"a b"@example.org')
    assert rcpt_command(recipient, False, ALL) == 'RCPT TO:<"a b"@example.org>'


@pytest.mark.parametrize(
    ("events", "written"),
    [((), "NEVER"), (("SUCCESS", "DELAY", "FAILURE"), "DELAY,FAILURE,SUCCESS")],
)
def test_reports_that_were_asked_for_are_asked_for(events: tuple[str, ...], written: str) -> None:
    request = DsnRequest(frozenset(events), "rfc822;x+2By")  # type: ignore[arg-type]
    command = rcpt_command(owed(request), False, ALL)
    assert command == f"RCPT TO:<bob@example.org> NOTIFY={written} ORCPT=rfc822;x+2By"
    assert rcpt_command(owed(request), False, NOTHING_OFFERED) == "RCPT TO:<bob@example.org>"


def test_nothing_is_said_of_reports_where_nobody_asked() -> None:
    assert rcpt_command(owed(DsnRequest()), False, ALL) == "RCPT TO:<bob@example.org>"


def test_the_original_recipient_is_the_one_the_sender_wrote() -> None:
    request = DsnRequest(frozenset())
    command = rcpt_command(owed(request, original="a+b@example.org"), False, ALL)
    assert command.endswith(" ORCPT=rfc822;a+2Bb@example.org")
    command = rcpt_command(owed(request, original="é@example.org"), False, ALL)
    assert command.endswith(r" ORCPT=utf-8;\x{E9}@example.org")


def test_an_original_recipient_in_utf8_is_ascii_to_a_host_that_wants_it() -> None:
    recipient = owed(DsnRequest(frozenset(), "utf-8;é@example.org"))
    assert rcpt_command(recipient, True, ALL).endswith("ORCPT=utf-8;é@example.org")
    assert rcpt_command(recipient, False, ALL).endswith(r"ORCPT=utf-8;\x{E9}@example.org")
    assert rcpt_command(recipient, False, ALL).isascii()


def test_an_original_recipient_that_has_grown_too_long_is_left_out() -> None:
    recipient = owed(DsnRequest(frozenset(), "utf-8;" + "é" * 120 + "@example.org"))
    assert rcpt_command(recipient, False, ALL) == "RCPT TO:<bob@example.org> NOTIFY=NEVER"
