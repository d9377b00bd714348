"""The part for people."""

from typing import Any

import pytest

from tests.queue.reports.reporting import (
    BUSY,
    EPOCH,
    NOW,
    TAKEN,
    TEXTS,
    attempt,
    job,
    told,
)
from twisted_mail.interfaces import ReportAction, ReportedRecipient
from twisted_mail.mail.address import parse
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.mail.route import ProgramTarget
from twisted_mail.queue.reports.explanation import (
    MAX_GROUPS,
    MAX_NAMED,
    MAX_SAID,
    Explanation,
    format_age,
)


def text(*told: ReportedRecipient, now: float = NOW) -> str:
    return Explanation(TEXTS.sentences, now).text(job(), told)


def failed(address: str, **values: Any) -> ReportedRecipient:
    return told(target=RemoteTarget(parse(address)), **values)


def test_what_happened_what_to_do_and_what_the_other_side_said() -> None:
    assert (
        text(told())
        == """\
Your message was not delivered to

    bob@example.net

There is no such mailbox at example.net, or it takes no mail any more.

What you can do: Compare the address with one that is known to be right,
letter by letter, and send the message again. If it is right, ask the
recipient in another way for a new one.

mx1.example.net (192.0.2.25) answered RCPT TO:<bob@example.net> with:

    550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown
"""
    )


def test_recipients_of_whom_the_same_is_said_are_named_together() -> None:
    shared = attempt(Outcome(550, "5.7.1", "Go away"), command=".")
    found = text(failed("bob@example.net", last=shared), failed("eve@example.net", last=shared))
    assert "    bob@example.net\n    eve@example.net\n" in found
    assert found.count("Go away") == 1


def test_others_stand_apart_those_in_trouble_first() -> None:
    late = told(ReportAction.DELAYED, EPOCH + 86400, last=attempt(BUSY))
    found = text(late, told())
    assert found.index("was not delivered") < found.index("has not been delivered yet")


def test_what_is_given_up_says_after_what_time() -> None:
    last = attempt(BUSY, reply_class=ReplyClass.GREYLIST)
    found = text(told(last=last), now=EPOCH + 5 * 86400)
    assert found.startswith("Your message could not be delivered within 5 days to\n")


def test_a_delay_says_until_when_it_is_tried_and_that_nothing_is_to_be_done() -> None:
    found = text(told(ReportAction.DELAYED, EPOCH + 86400, last=attempt(BUSY)))
    assert "tried again until Mon, 10 Sep 2001 01:46:40 +0000" in found
    assert "What you can do" not in found


@pytest.mark.parametrize(
    ("values", "introduction"),
    [
        ({"command": ""}, "mx1.example.net (192.0.2.25) began the conversation with:"),
        ({"command": "."}, "mx1.example.net (192.0.2.25) answered the end of the message with:"),
        ({"command": "EHLO x", "host": ""}, "192.0.2.25 answered EHLO x with:"),
        ({"is_reply": False, "host": ""}, "This server noted at its last attempt:"),
    ],
)
def test_how_words_are_introduced(values: Any, introduction: str) -> None:
    assert f"\n\n{introduction}\n\n    " in text(told(last=attempt(**values)))


def test_what_this_server_noted_has_no_code() -> None:
    last = attempt(Outcome(451, "4.4.2", "No answer within 300 s"), is_reply=False)
    assert text(told(last=last)).endswith(":\n\n    No answer within 300 s\n")


def test_who_was_never_tried() -> None:
    assert "cannot be reached" in text(told(last=None))


def test_an_alias_does_not_say_where_it_leads() -> None:
    found = text(told(original=parse("team@example.org"), last=attempt(command=".")))
    assert "    team@example.org\n" in found
    assert "This address passes its mail on" in found


def test_successes_say_what_is_known() -> None:
    relayed = told(ReportAction.RELAYED, last=attempt(TAKEN, command="."))
    found = text(relayed)
    assert "mx1.example.net (192.0.2.25) has taken it. It writes no reports" in found
    assert "    250 2.0.0 Ok: queued as 4F1B2C3D\n" in found
    program = ProgramTarget("ticket", parse("tickets@example.org"))
    given = told(ReportAction.RELAYED, target=program, last=attempt(TAKEN, is_reply=False))
    assert "A program that answers for this address" in text(given)
    assert "in the mailbox there" in text(told(ReportAction.DELIVERED, last=None))
    assert "stands for several" in text(told(ReportAction.EXPANDED, last=None))


# ------------------------------------------------------------ bounds


def test_names_and_groups_are_bounded_and_the_others_counted() -> None:
    many = [failed(f"u{number}@example.net") for number in range(MAX_NAMED + 3)]
    assert "\n    ... and 3 more.\n" in text(*many)
    apart = [failed(f"u@h{number}.example") for number in range(MAX_GROUPS + 2)]
    assert text(*apart).endswith("\n\n... and 2 more.\n")


def test_words_are_data() -> None:
    hostile = Outcome(550, "", "{sender}\r\n\r\n<script>\x1b[31m\u202e" + "x" * 100_000)
    found = text(told(last=attempt(hostile, command="RCPT\r\n{host}")))
    assert "answered RCPT  {host} with:" in found
    assert "\n    550 {sender}    <script> [31m\n    xxx" in found
    assert "\x1b" not in found
    assert len(found) < MAX_SAID + 1000


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "a minute"), (90, "1 minute"), (7300, "2 hours"), (5 * 86400 + 5, "5 days")],
)
def test_time_in_words(seconds: float, words: str) -> None:
    assert format_age(seconds) == words
