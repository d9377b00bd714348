from email import message_from_bytes

import pytest

from tests.smtp.fakes import LOGIN, MAIL, RCPT, FakeQueue, SmtpFixture, lines
from twisted_mail.mail.message import MemoryBlob
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.smtp.arrival import binary_to_text
from twisted_mail.smtp.settings import SubmissionSettings
from twisted_mail.testing.wire import ScriptedWire

OCTETS = bytes(range(256)) * 10
HEAD = b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: image/png\r\n"
MESSAGE = HEAD + b"Content-Transfer-Encoding: binary\r\n\r\n" + OCTETS


def send(message: bytes, smtp: SmtpFixture) -> str:
    """Send a binary message in two chunks; return the last answer."""
    start = lines("EHLO c", f"{MAIL} BODY=BINARYMIME", RCPT)
    half = len(message) // 2
    chunks = b"BDAT %d\r\n%bBDAT %d LAST\r\n" % (half, message[:half], len(message) - half)
    return smtp.hold(ScriptedWire([start + chunks + message[half:]]))[-1]


def test_the_parts_of_a_binary_message_are_encoded() -> None:
    smtp = SmtpFixture()
    assert send(MESSAGE, smtp).startswith("250 2.0.0 Ok: queued as")
    message = message_from_bytes(smtp.content)
    assert message["Content-Transfer-Encoding"] == "base64"
    assert message.get_payload(decode=True) == OCTETS
    assert smtp.queue.accepted[0][0].mail_parameters.body == "8BITMIME"
    assert smtp.prefix.startswith(b"Received: ")


def test_a_message_that_is_not_binary_after_all_is_left_as_it_is() -> None:
    smtp = SmtpFixture()
    send(HEAD + b"\r\ntext\r\n", smtp)
    assert smtp.content == HEAD + b"\r\ntext\r\n"


def test_a_queue_that_keeps_binary_messages_gets_them() -> None:
    smtp = SmtpFixture(queue=FakeQueue({"BINARYMIME"}))
    send(MESSAGE, smtp)
    assert smtp.content == MESSAGE
    assert smtp.queue.accepted[0][0].mail_parameters.body == "BINARYMIME"


def test_what_is_signed_is_not_altered_but_refused() -> None:
    smtp = SmtpFixture()
    assert send(b"DKIM-Signature: v=1\r\n" + MESSAGE, smtp).startswith("554 5.6.3")
    assert not smtp.queue.accepted
    assert all(writer.is_discarded for writer in smtp.writers)


def test_more_than_memory_allows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary_to_text, "MAX_BINARY", len(MESSAGE) - 1)
    smtp = SmtpFixture()
    assert send(MESSAGE, smtp).startswith("552 5.3.4")
    assert all(writer.is_discarded for writer in smtp.writers)


def test_the_hops_are_counted_in_what_it_becomes() -> None:
    smtp = SmtpFixture()
    assert send(b"Received: x\r\n" * 51 + MESSAGE, smtp).startswith("554 5.4.6")
    assert all(writer.is_discarded for writer in smtp.writers)


@pytest.mark.parametrize(
    ("trouble", "answer"),
    [
        (Unavailable(Outcome(451, "4.3.2", "Too much to do")), "451 4.3.2 Too much to do"),
        (RuntimeError("inside"), "451 4.3.0 Something went wrong here; try again later"),
    ],
)
def test_a_message_that_cannot_be_converted_now_is_refused_for_now(
    trouble: Exception, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(data: bytes) -> bytes:
        raise trouble

    closed: list[MemoryBlob] = []
    monkeypatch.setattr(binary_to_text.conversion, "converted", fail)
    monkeypatch.setattr(MemoryBlob, "close", lambda blob: closed.append(blob))
    smtp = SmtpFixture()
    assert send(MESSAGE, smtp) == answer
    assert len(closed) == 1
    assert not smtp.queue.accepted


def test_a_submitted_message_goes_as_it_is_where_binary_ones_are_carried() -> None:
    smtp = SmtpFixture(queue=FakeQueue({"BINARYMIME"}))
    body = b"\0\n\r" + b"x" * 2000
    message = b"From: alice@example.org\r\n\r\n" + body
    own = "MAIL FROM:<alice@example.org> BODY=BINARYMIME"
    said = lines("EHLO c", LOGIN, own, RCPT) + b"BDAT %d LAST\r\n" % len(message) + message
    smtp.hold(ScriptedWire([said]), SubmissionSettings())
    assert smtp.content.endswith(b"\r\n\r\n" + body)
    assert smtp.queue.accepted[0][0].mail_parameters.body == "BINARYMIME"
