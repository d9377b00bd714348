from email import message_from_bytes
from email.message import Message as EmailMessage
from pathlib import Path

import pytest

from tests.queue.test_mailer import FakeQueue, make_mailer
from twisted_mail.mail.address import parse
from twisted_mail.mail.job import Job
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.route import ProgramTarget
from twisted_mail.queue.failure_report import MAX_RETURNED, DsnReporter
from twisted_mail.queue.program import result_of_exit_code
from twisted_mail.store.disk.files import DiskFiles
from twisted_mail.testing.doubles import InlineBlocking, finish

JOB = Job("0abc-1", 1e9, parse("s@b.example"), ProgramTarget("ticket", parse("t@example.org")))


def reported(folder: Path, queue: FakeQueue, data: bytes) -> EmailMessage:
    (folder / "mail").write_bytes(data)
    reporter = DsnReporter(make_mailer(queue), "mail.example.org", InlineBlocking())
    blob = DiskFiles().blob(str(folder / "mail"))
    finish(reporter.report(JOB, result_of_exit_code(75), blob))
    return message_from_bytes(queue.taken[-1][1])


def test_a_report_says_what_failed_and_returns_the_message(tmp_path: Path) -> None:
    queue = FakeQueue()
    report = reported(tmp_path, queue, b"Subject: \xff\r\n\r\nbody\r\n")
    assert queue.taken[0][0].recipients == (JOB.sender,)
    assert report["Auto-Submitted"] == "auto-replied"
    assert report.get_param("report-type") == "delivery-status"
    text, status, returned = report.get_payload()  # type: ignore[misc]
    assert "<t@example.org>" in text.get_payload()  # type: ignore[union-attr]
    fields = status.get_payload()[1]  # type: ignore[union-attr, index, call-overload]
    assert (fields["Final-Recipient"], fields["Action"]) == ("rfc822; t@example.org", "failed")
    assert fields["Status"] == "5.3.0"
    assert returned.get_payload()[0].get_payload() == "body\r\n"  # type: ignore[union-attr, index, call-overload]


def test_of_a_large_message_the_header_is_returned(tmp_path: Path) -> None:
    data = b"Subject: x\r\n\r\n" + b"x" * MAX_RETURNED
    report = reported(tmp_path, FakeQueue(), data)
    returned = report.get_payload()[2]  # type: ignore[index, call-overload]
    assert returned.get_content_type() == "text/rfc822-headers"  # type: ignore[union-attr]
    assert returned.get_payload() == "Subject: x\r\n\r\n"  # type: ignore[union-attr]


def test_a_report_that_nobody_can_receive_is_unavailable(tmp_path: Path) -> None:
    queue = FakeQueue()
    queue.is_closed = True
    with pytest.raises(Unavailable, match="postmaster"):
        reported(tmp_path, queue, b"x")
