from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.lists.message_kind import (
    is_personal_reply,
    parse_command,
    reports_failure,
    subject,
)
from twisted_mail.lists.posting_rules import read_post_header
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.message import MemoryBlob

GOLDEN = Path(__file__).parents[1] / "queue" / "reports" / "golden"  # reports of our own
REPORT = b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\n"


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ("subscribe", ListRole.SUBSCRIBE),
        ("Re: JOIN please", ListRole.SUBSCRIBE),
        ("AW: Re: unsubscribe", ListRole.UNSUBSCRIBE),
        ("help", None),
        ("I want to subscribe", None),
        ("", None),
        ("Re:", None),
    ],
)
def test_the_first_word_of_the_subject_is_the_command(
    tmp_path: Path, line: str, role: ListRole | None
) -> None:
    assert parse_command(MemoryBlob(f"Subject: {line}\r\n\r\n".encode())) is role


def test_without_a_subject_there_is_no_command() -> None:
    assert parse_command(MemoryBlob(b"From: a\r\n\r\nsubscribe\r\n")) is None
    assert parse_command(MemoryBlob(b"")) is None


def test_a_subject_is_one_line_whatever_it_was() -> None:
    data = b"Subject: =?utf-8?q?a=0D=0Ab=00?=\r\n c\r\n\r\n"
    assert subject(MemoryBlob(data)).isprintable()


@pytest.mark.parametrize(
    ("data", "failed"),
    [
        (REPORT + b"Action: failed\r\n", True),
        (REPORT + b"Reporting-MTA: x\r\nACTION: FAILED\r\n", True),
        (REPORT + b"Reporting-MTA: x\r\nAction: delayed\r\n", False),
        (REPORT + b"x\r\nAction: delivered\r\n\r\nAction: failed\r\n", True),
        (REPORT, True),
        (b"Subject: failure notice\r\n\r\nAction: delayed\r\n", True),
    ],
)
def test_a_report_of_a_delay_is_no_failure(data: bytes, failed: bool) -> None:
    assert reports_failure(MemoryBlob(data)) is failed


def test_vacation_replies_are_distinguished_from_reports() -> None:
    vacation = b"Auto-Submitted: auto-replied\r\n"
    assert is_personal_reply(vacation, read_post_header(vacation))
    assert not is_personal_reply(vacation + REPORT, read_post_header(vacation + REPORT))
    assert not is_personal_reply(b"", read_post_header(b""))


@given(st.binary(max_size=300))
def test_any_message_is_read(data: bytes) -> None:
    one = MemoryBlob(data)
    assert parse_command(one) in (None, *ListRole)
    assert reports_failure(one) or b"\naction:" in data.lower()
    assert subject(one).isprintable()


@pytest.mark.parametrize(
    ("name", "is_failure"), [("failed", True), ("delayed", False), ("relayed", False)]
)
def test_our_own_reports_are_read_as_they_are_meant(name: str, is_failure: bool) -> None:
    data = (GOLDEN / f"{name}.txt").read_bytes().replace(b"\n", b"\r\n")
    assert reports_failure(MemoryBlob(data)) is is_failure
    header = read_post_header(data)
    assert header.is_answer
    assert not is_personal_reply(data, header)
