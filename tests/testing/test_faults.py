"""Faults on purpose, in memory and over TCP."""

import imaplib
import poplib
import smtplib
import time
from collections.abc import Iterator

import pytest

from twisted_mail.testing.connection import MemoryConnection
from twisted_mail.testing.faults import Fault, FaultPlan
from twisted_mail.testing.server import MailServer

ALICE = "alice@example.org"
RCPT = f"RCPT TO:<{ALICE}>"
TEXT = "Subject: hi\n\nhello\n"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer(messages={ALICE: [TEXT]}) as server:
        yield server


def sender(server: MailServer) -> MemoryConnection:
    client = server.connect("smtp")
    client.command("HELO client.example", "MAIL FROM:<me@client.example>")
    return client


def imap(server: MailServer) -> MemoryConnection:
    client = server.connect("imap")
    client.command("0 LOGIN alice secret", "1 SELECT INBOX")
    return client


def codes(replies: list[str]) -> list[str]:
    return [reply[:3] for reply in replies]


# ---------------------------------------------------------------- which command


def test_a_fault_happens_at_its_command_and_no_other() -> None:
    plan = FaultPlan([Fault.reply("RCPT", 451, nth=3)])
    happened = [plan.next("smtp", "RCPT") is not None for _ in range(5)]
    assert happened == [False, False, True, False, False]
    assert plan.next("smtp", "MAIL") is None


def test_a_fault_can_happen_several_times_or_always() -> None:
    plan = FaultPlan([Fault.reply("RCPT", 451, nth=2, times=2)])
    assert [bool(plan.next("smtp", "RCPT")) for _ in range(4)] == [False, True, True, False]
    plan = FaultPlan([Fault.reply("RCPT", 451, nth=2, times=0)])
    assert [bool(plan.next("smtp", "RCPT")) for _ in range(4)] == [False, True, True, True]


def test_a_fault_can_be_for_one_service() -> None:
    plan = FaultPlan([Fault.close("NOOP", service="imap")])
    assert plan.next("pop3", "NOOP") is None
    assert plan.next("imap", "NOOP") is not None


def test_a_uid_command_has_the_same_name() -> None:
    assert FaultPlan([Fault.close("uid fetch")]).next("imap", "FETCH") is not None


def test_of_two_faults_the_first_one_happens() -> None:
    plan = FaultPlan([Fault.reply("RCPT", 451), Fault.reply("RCPT", 550, times=2)])
    found = [plan.next("smtp", "RCPT"), plan.next("smtp", "RCPT")]
    assert [fault and fault.text[:3] for fault in found] == ["451", "550"]


# ---------------------------------------------------------------- replies


def test_the_third_rcpt_is_answered_with_451(server: MailServer) -> None:
    server.add_fault(Fault.reply("RCPT", 451, "4.7.1 Later", nth=3))
    replies = sender(server).command(RCPT, RCPT, RCPT, RCPT)
    assert codes(replies) == ["250", "250", "451", "250"]
    assert replies[2] == "451 4.7.1 Later"


def test_the_end_of_a_message_can_be_refused(server: MailServer) -> None:
    server.add_fault(Fault.reply(".", 554, "5.6.0 No such message please"))
    client = sender(server)
    client.command(RCPT, "DATA")
    assert client.command("hello", ".") == ["554 5.6.0 No such message please"]
    assert not server.messages
    client.command("MAIL FROM:<>", RCPT, "DATA")
    assert codes(client.command("hello", ".")) == ["250"]


def test_a_reply_without_an_enhanced_code_gets_one(server: MailServer) -> None:
    server.add_fault(Fault.reply(".", 452, "No room"))
    client = sender(server)
    client.command(RCPT, "DATA")
    assert client.command("hello", ".") == ["452 4.0.0 No room"]


def test_what_belongs_to_a_refused_bdat_is_not_taken_for_commands(server: MailServer) -> None:
    server.add_fault(Fault.reply("BDAT", 451))
    client = sender(server)
    client.command(RCPT)
    client.write(b"BDAT 6\r\nQUIT\r\nNOOP\r\n")
    assert codes(client.lines()) == ["451", "250"]


def test_a_command_of_imap_is_answered_with_its_tag(server: MailServer) -> None:
    server.add_fault(Fault.reply("FETCH", "NO", "[UNAVAILABLE] Later"))
    assert imap(server).command("a7 UID FETCH 1 FLAGS") == ["a7 NO [UNAVAILABLE] Later"]


def test_a_refused_append_gets_no_literal(server: MailServer) -> None:
    server.add_fault(Fault.reply("APPEND", "NO", "[OVERQUOTA] Full"))
    client = imap(server)
    assert client.command("a APPEND INBOX {5}") == ["a NO [OVERQUOTA] Full"]
    assert client.command("b NOOP")[-1].startswith("b OK")


def test_a_command_of_pop3_is_refused(server: MailServer) -> None:
    server.add_fault(Fault.reply("RETR", "-ERR"))
    client = server.connect("pop3")
    assert client.command("USER alice", "PASS secret", "RETR 1")[-1] == "-ERR A fault on purpose"


def test_the_greeting_can_be_a_refusal(server: MailServer) -> None:
    server.add_fault(Fault.reply("GREETING", 554, "5.3.2 Not now"))
    client = server.connect("smtp")
    assert client.lines() == ["554 5.3.2 Not now"]
    assert client.is_closed


# ---------------------------------------------------------------- closing


def test_imap_says_bye(server: MailServer) -> None:
    server.add_fault(Fault.bye("NOOP", "Going down"))
    client = imap(server)
    assert client.command("a NOOP") == ["* BYE Going down"]
    assert client.is_closed


def test_the_connection_closes_at_a_command(server: MailServer) -> None:
    server.add_fault(Fault.close("RCPT"))
    client = sender(server)
    assert client.command(RCPT) == []
    assert client.is_closed


def test_the_connection_closes_in_the_middle_of_data(server: MailServer) -> None:
    server.add_fault(Fault.close("DATA", after=10))
    client = sender(server)
    assert codes(client.command(RCPT, "DATA")) == ["250", "354"]
    assert client.command("12345678") == []
    assert not client.is_closed or not server.messages
    client.send("more", ".")
    assert client.is_closed
    assert not server.messages


def test_it_closes_at_the_end_of_a_message_that_is_too_short(server: MailServer) -> None:
    server.add_fault(Fault.close("DATA", after=1000))
    client = sender(server)
    client.command(RCPT, "DATA")
    client.command("short", ".", "NOOP")
    assert client.is_closed
    assert not server.messages


def test_it_closes_after_the_message_and_before_the_reply(server: MailServer) -> None:
    server.add_fault(Fault.close("."))
    client = sender(server)
    client.command(RCPT, "DATA")
    assert client.command("hello", ".") == []
    assert client.is_closed


def test_it_closes_in_the_middle_of_a_literal(server: MailServer) -> None:
    server.add_fault(Fault.close("APPEND", after=4))
    client = imap(server)
    client.command("a APPEND INBOX {10}")
    client.write(b"12345")
    assert client.is_closed
    assert len(server.mailbox(ALICE)) == 1


def test_an_answer_is_cut_off(server: MailServer) -> None:
    server.add_fault(Fault.cut("FETCH", 10))
    client = imap(server)
    client.command("a FETCH 1 BODY[]")
    assert client.received == b"* 1 FETCH "
    assert client.is_closed


# ---------------------------------------------------------------- slow


def test_a_slow_command_takes_its_time(server: MailServer) -> None:
    server.add_fault(Fault.slow("NOOP", 5))
    client = sender(server)
    assert client.command("NOOP", "NOOP") == []
    server.advance(4.9)
    assert client.lines() == []
    server.advance(0.2)
    assert codes(client.lines()) == ["250", "250"]


def test_a_slow_greeting_takes_its_time(server: MailServer) -> None:
    server.add_fault(Fault.slow("GREETING", 5))
    client = server.connect("pop3")
    assert client.lines() == []
    server.advance(5)
    assert client.lines()[0].startswith("+OK")


def test_faults_are_forgotten(server: MailServer) -> None:
    server.add_fault(Fault.reply("RCPT", 451, times=0))
    client = sender(server)
    assert codes(client.command(RCPT)) == ["451"]
    server.clear_faults()
    assert codes(client.command(RCPT)) == ["250"]


# ---------------------------------------------------------------- over TCP


def test_smtplib_meets_a_451(server: MailServer) -> None:
    server.add_fault(Fault.reply("RCPT", 451, "4.7.1 Later", nth=3))
    with smtplib.SMTP(*server.address("smtp")) as smtp:
        refused = smtp.sendmail("", ["a@x.example", "b@x.example", "c@x.example"], TEXT)
    assert refused == {"c@x.example": (451, b"4.7.1 Later")}


def test_smtplib_loses_its_connection_in_data(server: MailServer) -> None:
    server.add_fault(Fault.close("DATA", after=100))
    smtp = smtplib.SMTP(*server.address("smtp"))
    with pytest.raises(smtplib.SMTPServerDisconnected):
        smtp.sendmail("", [ALICE], TEXT * 1000)
    smtp.close()
    assert not server.messages


def test_imaplib_meets_a_bye(server: MailServer) -> None:
    server.add_fault(Fault.bye("SELECT"))
    client = imaplib.IMAP4(*server.address("imap"))
    client.login("alice", "secret")
    with pytest.raises(imaplib.IMAP4.abort):
        client.select()
    client.shutdown()


def test_poplib_meets_an_error(server: MailServer) -> None:
    server.add_fault(Fault.reply("RETR", "-ERR", "[SYS/TEMP] Later"))
    pop = poplib.POP3(*server.address("pop3"))
    pop.user("alice")
    pop.pass_("secret")
    with pytest.raises(poplib.error_proto, match="Later"):
        pop.retr(1)
    pop.quit()


def test_slowness_is_real_over_tcp(server: MailServer) -> None:
    server.add_fault(Fault.slow("NOOP", 0.05))
    with smtplib.SMTP(*server.address("smtp")) as smtp:
        began = time.monotonic()
        smtp.noop()
        assert time.monotonic() - began >= 0.05
