from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.delivery.contents import command, is_human_answer, says_failed, subject
from twisted_mail.delivery.parcels import ParcelBlob
from twisted_mail.delivery.posting import read
from twisted_mail.mail.mailing_list import Role

REPORT = b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\n"


def blob(folder: Path, data: bytes) -> ParcelBlob:
    (folder / "mail").write_bytes(data)
    return ParcelBlob(str(folder / "mail"), len(data))


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ("subscribe", Role.SUBSCRIBE),
        ("Re: JOIN please", Role.SUBSCRIBE),
        ("AW: Re: unsubscribe", Role.UNSUBSCRIBE),
        ("help", None),
        ("I want to subscribe", None),
        ("", None),
        ("Re:", None),
    ],
)
def test_the_first_word_of_the_subject_is_the_command(
    tmp_path: Path, line: str, role: Role | None
) -> None:
    assert command(blob(tmp_path, f"Subject: {line}\r\n\r\n".encode())) is role


def test_without_a_subject_there_is_no_command(tmp_path: Path) -> None:
    assert command(blob(tmp_path, b"From: a\r\n\r\nsubscribe\r\n")) is None
    assert command(blob(tmp_path, b"")) is None


def test_a_subject_is_one_line_whatever_it_was(tmp_path: Path) -> None:
    data = b"Subject: =?utf-8?q?a=0D=0Ab=00?=\r\n c\r\n\r\n"
    assert subject(blob(tmp_path, data)).isprintable()


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
def test_a_report_of_a_delay_is_no_failure(tmp_path: Path, data: bytes, failed: bool) -> None:
    assert says_failed(blob(tmp_path, data)) is failed


def test_vacations_are_told_from_reports() -> None:
    vacation = b"Auto-Submitted: auto-replied\r\n"
    assert is_human_answer(vacation, read(vacation))
    assert not is_human_answer(vacation + REPORT, read(vacation + REPORT))
    assert not is_human_answer(b"", read(b""))


@given(st.binary(max_size=300))
def test_any_message_is_read(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    one = blob(tmp_path_factory.getbasetemp(), data)
    command(one)
    says_failed(one)
