"""The part for programs, field by field (RFC 3464 §2.2, §2.3, RFC 3461 §6.3, RFC 6533 §3)."""

from typing import Any

import pytest

from tests.queue.reports.reporting import BUSY, EPOCH, HOST, UNKNOWN, attempt, job, notify, told
from twisted_mail.interfaces import ReportAction, ReportedRecipient
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import DeliverBy, FutureRelease
from twisted_mail.mail.outcome import Outcome
from twisted_mail.queue.reports.delivery_status import MAX_DIAGNOSTIC, DeliveryStatus, status
from twisted_mail.queue.reports.explanation import is_expired

JOERG = parse("jörg@example.net")


def lines(*told: ReportedRecipient, is_utf8: bool = False, **asked: Any) -> list[str]:
    """Return the lines of the part."""
    text = DeliveryStatus(HOST, is_utf8).text(job(**asked), told)
    assert text.endswith("\r\n")
    return text.replace("\r\n", "\n").splitlines()


def test_a_failure_has_all_fields_in_the_order_of_the_grammar() -> None:
    asked = {
        "envid": "QQ+2B1",
        "deliver_by": DeliverBy(EPOCH + 120, is_returned=False),
        "future_release": FutureRelease(EPOCH + 60, "for;60"),
    }
    request = notify("FAILURE", original="rfc822;Bob+2Bx@Example.NET")
    assert lines(told(request=request), **asked) == [
        "Original-Envelope-Id: QQ+1",
        "Reporting-MTA: dns; mail.example.org",
        "Arrival-Date: Sun, 09 Sep 2001 01:46:40 +0000",
        "Deliver-By-Date: Sun, 09 Sep 2001 01:48:40 +0000",
        "Future-Release-Request: for;60",
        "",
        "Original-Recipient: rfc822; Bob+x@Example.NET",
        "Final-Recipient: rfc822; bob@example.net",
        "Action: failed",
        "Status: 5.1.1",
        "Remote-MTA: dns; mx1.example.net",
        f"Diagnostic-Code: smtp; 550 5.1.1 {UNKNOWN.text}",
        "Last-Attempt-Date: Sun, 09 Sep 2001 02:46:40 +0000",
        "Final-Log-ID: 0abcdefghjkmnpqr",
    ]


def test_6_3_a_d_what_was_not_given_is_not_there() -> None:
    names = {line.partition(":")[0] for line in lines(told())}
    assert not names & {"Original-Envelope-Id", "Original-Recipient", "Deliver-By-Date"}
    assert not names & {"Future-Release-Request", "Will-Retry-Until"}


def test_a_delay_says_how_long_it_is_tried() -> None:
    late = told(ReportAction.DELAYED, EPOCH + 86400, last=attempt(BUSY))
    assert lines(late)[-1] == "Will-Retry-Until: Mon, 10 Sep 2001 01:46:40 +0000"


def test_what_failed_has_no_time_until_which_it_is_tried() -> None:
    assert "Will-Retry-Until" not in str(lines(told(until=EPOCH + 86400)))


def test_the_recipient_is_that_of_the_envelope_and_not_where_an_alias_leads() -> None:
    team = parse("team@example.org")
    assert "Final-Recipient: rfc822; team@example.org" in lines(told(original=team))


def test_no_remote_mta_where_none_was_involved_and_the_diagnostic_is_ours() -> None:
    last = attempt(Outcome(451, "4.4.3", "The DNS does not answer"), host="", is_reply=False)
    found = lines(told(last=last))
    assert "Diagnostic-Code: x-twisted-mail; The DNS does not answer" in found
    assert "Remote-MTA" not in str(found)


def test_a_port_is_no_part_of_a_name() -> None:
    assert "Remote-MTA: dns; lab.test" in lines(told(last=attempt(host="lab.test:2525")))


def test_a_recipient_who_was_never_tried() -> None:
    assert lines(told(last=None))[3:] == [
        "Final-Recipient: rfc822; bob@example.net",
        "Action: failed",
        "Status: 5.4.7",
        "Final-Log-ID: 0abcdefghjkmnpqr",
    ]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome(550, "5.1.1", "No"), "5.1.1"),
        (Outcome(451, "4.4.1", "Expired"), "4.4.1"),
        (Outcome(550, "", "No"), "5.0.0"),
        (Outcome(450, "", "No"), "4.0.0"),
        (Outcome(550, "2.0.0", "Odd"), "5.0.0"),
        (Outcome(550, "5.001.01", "Zeros"), "5.1.1"),
        (Outcome(550, "5.1.1\r\nX: y", "Lines"), "5.0.0"),
        (Outcome(354, "", "Odd"), "5.0.0"),
    ],
)
def test_6_3_g_the_status_is_a_code_of_the_kind_of_the_reply(
    outcome: Outcome, expected: str
) -> None:
    assert status(told(last=attempt(outcome))) == expected


@pytest.mark.parametrize(
    ("command", "outcome", "expected"),
    [
        ("", Outcome(554, "5.7.1", "Go away"), "4.7.1"),
        ("AUTH PLAIN", Outcome(535, "", "Wrong"), "4.0.0"),
        ("", Outcome(521, "", "No mail here"), "5.0.0"),
        ("MAIL FROM:<a@example.org>", Outcome(554, "5.7.1", "No"), "5.7.1"),
    ],
)
def test_what_is_said_before_any_mail_is_no_last_word(
    command: str, outcome: Outcome, expected: str
) -> None:
    last = attempt(outcome, command=command, is_reply=True)
    assert status(told(last=last)) == expected
    assert is_expired(last) == expected.startswith("4")


def test_a_diagnostic_is_one_line_and_cut() -> None:
    hostile = Outcome(550, "5.0.0", "<b>no</b>\r\nSubject: x\x00\x1b[2J" + "x" * 100_000)
    (line,) = [one for one in lines(told(last=attempt(hostile))) if "Diagnostic" in one]
    assert line.startswith("Diagnostic-Code: smtp; 550 5.0.0 <b>no</b>  Subject: x  [2Jxxx")
    assert line.endswith("xxx...")
    assert len(line) <= MAX_DIAGNOSTIC + len("Diagnostic-Code: smtp; ")


# ------------------------------------------------------------ RFC 6533


def recipient_of(request: str, is_utf8: bool) -> list[str]:
    joerg = told(request=notify("FAILURE", original=request), original=JOERG)
    return lines(joerg, is_utf8=is_utf8)[3:5]


@pytest.mark.parametrize("original", [r"utf-8;j\x{F6}rg@example.net", "utf-8;jörg@example.net"])
def test_6533_3_utf_8_addresses_have_a_7_bit_form_and_one_of_their_own(original: str) -> None:
    assert recipient_of(original, is_utf8=False) == [
        r"Original-Recipient: utf-8; j\x{F6}rg@example.net",
        r"Final-Recipient: utf-8; j\x{F6}rg@example.net",
    ]
    assert recipient_of(original, is_utf8=True) == [
        "Original-Recipient: utf-8; jörg@example.net",
        "Final-Recipient: utf-8; jörg@example.net",
    ]


def test_6533_3_what_is_no_such_address_is_copied() -> None:
    assert recipient_of(r"utf-8;j\x{ZZ}", is_utf8=True)[0] == r"Original-Recipient: utf-8; j\x{ZZ}"


def test_the_words_of_the_other_side_lose_what_is_not_ascii_in_the_7_bit_form() -> None:
    last = attempt(Outcome(550, "5.1.1", "Gibt’s nicht"))
    assert "smtp; 550 5.1.1 Gibt?s nicht" in str(lines(told(last=last)))
    assert "smtp; 550 5.1.1 Gibt’s nicht" in str(lines(told(last=last), is_utf8=True))


def test_no_line_is_too_long_whatever_the_addresses() -> None:
    odd = parse("ö" * 128 + "@" + ".".join(["x" * 60] * 4))
    request = notify("FAILURE", original="utf-8;" + "ö" * 240)
    assert max(map(len, lines(told(original=odd, request=request)))) <= 998
