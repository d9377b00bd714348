"""MAIL."""

import pytest

from tests.smtp.fakes import HELLO, LOGIN, MAIL, RCPT, SUBMISSION, say

MAIL_ALICE = "MAIL FROM:<alice@example.org>"


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("MAIL FROM:<>", "250 2.1.0"),
        ("MAIL FROM: <a@b.example> SIZE=1000 BODY=8BITMIME", "250 2.1.0"),
        ("MAIL FROM:<a@b.example> SIZE=52428801", "552 5.3.4"),
        ("MAIL FROM:<a@b.example> SIZE=52428800", "250 2.1.0"),
        ("MAIL FROM:<a@b.example> SMTPUTF8", "250 2.1.0"),
        ("MAIL FROM:<a@b.example> FROB", "555 5.5.4"),
        ("MAIL FROM:<a@b.example> AUTH=<>", "555 5.5.4"),
        ("MAIL FROM:<a@b.example> SIZE=1 SIZE=1", "501 5.5.4"),
        ("MAIL FROM:a@b.example", "250 2.1.0"),
        ("MAIL FROM:a", "501 5.1.7"),
        ("MAIL", "501 5.5.4"),
    ],
)
def test_mail(command: str, reply: str) -> None:
    assert say(HELLO, command)[-1][:9] == reply


def test_a_refused_mail_opens_no_transaction() -> None:
    assert [reply[:3] for reply in say(HELLO, "MAIL FROM:<a>", RCPT, MAIL)[1:]] == [
        "501",
        "503",
        "250",
    ]


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (MAIL_ALICE, "250 2.1.0"),
        ("MAIL FROM:<>", "250 2.1.0"),
        (f"{MAIL_ALICE} AUTH=bob@example.org", "250 2.1.0"),
        ("MAIL FROM:<bob@example.org>", "553 5.7.1"),
    ],
)
def test_a_submitter_sends_under_own_addresses(command: str, reply: str) -> None:
    assert say("EHLO c", LOGIN, command, settings=SUBMISSION)[-1][:9] == reply
