import tracemalloc

import pytest

from tests.smtp.arrival.arrivals import arrival
from tests.smtp.fakes import HELLO, LOGIN, MAIL, RCPT, SUBMISSION, SmtpFixture, lines, say
from twisted_mail.interfaces import ConversationEnded
from twisted_mail.mail.address import parse
from twisted_mail.mail.outcome import Outcome, Refused, Unavailable
from twisted_mail.smtp.commands.data import time_left
from twisted_mail.smtp.settings import Settings
from twisted_mail.testing.wire import FakeBlobWriter, ScriptedWire

START = (HELLO, MAIL, RCPT, "DATA")


def last(
    *texts: str | bytes, smtp: SmtpFixture | None = None, settings: Settings | None = None
) -> str:
    """Return the answer to a message; the conversation goes on behind it."""
    *_, answer, noop = say(*START, *texts, "NOOP", smtp=smtp, settings=settings)
    assert noop == "250 2.0.0 Ok"
    return answer


def test_the_envelope_says_what_the_commands_said() -> None:
    smtp = SmtpFixture()
    mail = "MAIL FROM:<s@client.example> SIZE=9 BODY=8BITMIME"
    say("EHLO c", mail, RCPT, "RCPT TO:<bob@example.org>", "DATA", "x", ".", smtp=smtp)
    ((envelope, message),) = smtp.queue.accepted
    assert envelope.sender == parse("s@client.example")
    assert envelope.recipients == (parse("alice@example.org"), parse("bob@example.org"))
    assert (envelope.declared_size, envelope.is_8bit, envelope.submitter) == (9, True, "")
    assert smtp.events("received") == [(envelope, 3)]
    assert envelope.routes is not None
    assert envelope.routes.version == "as it was at RCPT"
    assert list(envelope.routes.by_recipient) == list(envelope.recipients)
    assert envelope.client_host == smtp.events("connected")[0][1].host
    assert message.prefix.startswith(b"Received: from c ([192.0.2.1])\r\n\tby mail.example.org")


def test_a_submission_carries_its_submitter_and_gets_date_and_message_id() -> None:
    smtp = SmtpFixture()
    mail = "MAIL FROM:<alice@example.org>"
    say("EHLO c", LOGIN, mail, RCPT, "DATA", "Subject: x", "", ".", smtp=smtp, settings=SUBMISSION)
    ((envelope, message),) = smtp.queue.accepted
    assert envelope.submitter == "alice@example.org"
    fields = message.prefix.decode().replace("\r\n\t", " ").split("\r\n")
    assert " with ESMTPA id " in fields[0]
    assert fields[1].startswith("Date: ")
    assert fields[2] == f"Message-ID: <{envelope.id}@mail.example.org>"


def test_mail_from_other_servers_gets_only_the_trace() -> None:
    smtp = SmtpFixture()
    last("Subject: x", "", ".", smtp=smtp)
    assert b"Date:" not in smtp.prefix


@pytest.mark.parametrize(
    "text", [b"a\nb", b"a\rb", b"a\n.", b"a\n.\nb", b"a\r.\rb", b".\n", b"\n.", b"a\r", b"\0\n"]
)
def test_a_cr_or_lf_alone_is_refused_behind_the_whole_message(text: bytes) -> None:
    smtp = SmtpFixture()
    answer = last(text, "MAIL FROM:<smuggler@example.org>", ".", smtp=smtp)
    assert answer.startswith("550 5.6.11")
    assert "bare CR or bare LF" in answer
    assert not smtp.queue.accepted
    assert smtp.writers[0].is_discarded


def test_a_message_of_the_size_allowed_is_taken() -> None:
    assert last("x" * 98, ".", settings=Settings(max_size=100)).startswith("250")


def test_a_larger_message_is_read_to_its_end_and_refused() -> None:
    smtp = SmtpFixture()
    answer = last("x" * 99, "y", ".", smtp=smtp, settings=Settings(max_size=100))
    assert answer.startswith("552 5.3.4")
    assert smtp.writers[0].is_discarded


def test_a_message_without_end_is_not_read_for_ever() -> None:
    smtp = SmtpFixture()
    wire = ScriptedWire([lines(*START), *[b"x" * 100] * 99])
    assert smtp.hold(wire, Settings(max_size=100))[-1].startswith("552 5.3.4")
    assert len(wire.script) == 99 - 11
    assert [reason for _, _, reason in smtp.events("disconnected")] == ["endless message"]


def test_a_message_that_trickles_is_given_up() -> None:
    smtp = SmtpFixture()
    wire = ScriptedWire([lines(*START), *[b"x"] * 999])

    def a_minute_passes() -> None:
        smtp.clock.seconds += 60

    wire.on_read = a_minute_passes
    assert smtp.hold(wire)[-1].startswith("421 4.4.2")
    assert max(wire.timeouts[1:]) == 180
    assert len(wire.timeouts) < 15
    assert smtp.writers[0].is_discarded


def test_the_time_of_a_message_is_over_at_its_last_second() -> None:
    session = arrival().session
    clock = session.backend.clock
    started = clock.monotonic() - session.settings.message_timeout
    assert time_left(session, int(session.settings.slowest_rate), started) == 1
    with pytest.raises(ConversationEnded):
        time_left(session, 0, started)


def test_a_large_message_has_more_time() -> None:
    wire = ScriptedWire([lines(*START), *[b"x" * 60_000] * 30, b"\r\n.\r\n"])
    smtp = SmtpFixture()

    def a_minute_passes() -> None:
        smtp.clock.seconds += 60

    wire.on_read = a_minute_passes
    assert smtp.hold(wire)[-1].startswith("250 2.0.0")


def test_a_message_with_too_many_hops_is_refused() -> None:
    hops = ["Received: from a by b; date"] * 51
    assert last(*hops, "", "Received: no", ".").startswith("554 5.4.6")
    assert last(*hops[1:], "", "Received: no", ".").startswith("250")


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_hops_are_counted_across_pieces(size: int) -> None:
    stream = lines(*START, *["RECEIVED: x"] * 51, "", "body", ".")
    chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert SmtpFixture().hold(ScriptedWire(chunks))[-1].startswith("554 5.4.6")


def test_the_header_looked_at_is_bounded() -> None:
    smtp = SmtpFixture()
    say(*START, *["x" * 1000] * 1000, ".", smtp=smtp)
    assert len(smtp.content) == 1002 * 1000


@pytest.mark.parametrize(
    ("trouble", "answer"),
    [
        (Unavailable(Outcome(452, "4.3.1", "The disk is full")), "452 4.3.1 The disk is full"),
        (Refused(Outcome(552, "5.2.2", "The mailbox is full")), "552 5.2.2 The mailbox is full"),
        (RuntimeError("inside"), "451 4.3.0 Something went wrong here; try again later"),
    ],
)
def test_what_the_queue_says_is_answered(trouble: Exception, answer: str) -> None:
    smtp = SmtpFixture()
    smtp.queue.trouble = trouble
    assert last("x", ".", smtp=smtp) == answer
    assert not smtp.events("received")
    assert len(smtp.events("refused")) == 1


@pytest.mark.parametrize(
    ("trouble", "answer"),
    [(Unavailable(Outcome(452, "4.3.1", "full")), "452 4.3.1"), (RuntimeError("x"), "451 4.3.0")],
)
def test_bytes_that_cannot_be_kept_are_read_to_their_end(trouble: Exception, answer: str) -> None:
    smtp = SmtpFixture(writer_trouble=trouble)
    assert last("x", "y", ".", smtp=smtp)[:9] == answer


def test_the_transaction_ends_with_the_message_either_way() -> None:
    assert say(*START, ".", "DATA")[-1].startswith("503")
    assert say(*START, "\n", ".", "DATA")[-1].startswith("503")


def test_another_message_may_follow_in_the_same_packet() -> None:
    smtp = SmtpFixture()
    say(*START, "one", ".", MAIL, RCPT, "DATA", "two", ".", "QUIT", smtp=smtp)
    assert [b"".join(message.blob.pieces()) for _, message in smtp.queue.accepted] == [
        b"one\r\n",
        b"two\r\n",
    ]
    ids = [envelope.id for envelope, _ in smtp.queue.accepted]
    assert len(set(ids)) == 2


def test_a_message_without_header_is_all_body() -> None:
    smtp = SmtpFixture()
    last(" forged continuation", ".", smtp=smtp)
    assert smtp.prefix.endswith(b"\r\n\r\n")


def test_a_message_with_a_header_has_no_line_between() -> None:
    smtp = SmtpFixture()
    last("Subject: x", "", "body", ".", smtp=smtp)
    assert not smtp.prefix.endswith(b"\r\n\r\n")


LONG_HEADER = ["X: " + "x" * 990] * 200


def test_a_header_too_long_to_look_at_is_not_completed() -> None:
    smtp = SmtpFixture()
    settings = Settings(completes_header=True)
    say(HELLO, MAIL, RCPT, "DATA", *LONG_HEADER, "Date: x", "", ".", smtp=smtp, settings=settings)
    assert b"Message-ID" not in smtp.prefix


def test_a_header_too_long_to_look_at_is_not_submitted() -> None:
    mail = "MAIL FROM:<alice@example.org>"
    said = say(
        "EHLO c", LOGIN, mail, RCPT, "DATA", *LONG_HEADER, "Bcc: x", "", ".", settings=SUBMISSION
    )
    assert said[-1] == "552 5.3.4 The header of the message is too long"


def test_a_header_of_too_many_lines_is_not_submitted() -> None:
    mail = "MAIL FROM:<alice@example.org>"
    start = ("EHLO c", LOGIN, mail, RCPT, "DATA")
    said = say(*start, *["a:"] * 10_000, "Bcc: x", "", ".", settings=SUBMISSION)
    assert said[-1] == "552 5.3.4 The header of the message is too long"
    said = say(*start, *["a:"] * 9_990, "Bcc: x", "", ".", settings=SUBMISSION)
    assert said[-1].startswith("250 2.0.0")


def test_a_message_is_not_asked_for_when_there_is_nowhere_to_put_it() -> None:
    replies = say(*START, "DATA", smtp=SmtpFixture(has_no_writer=True))
    assert [reply[:9] for reply in replies[3:]] == ["451 4.3.0"] * 2


@pytest.mark.parametrize("command", ["DATA", "BDAT 2000010 LAST"])
def test_nothing_of_what_was_kept_is_held_while_more_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    async def drop(writer: FakeBlobWriter, data: bytes) -> None:
        pass

    monkeypatch.setattr(FakeBlobWriter, "write", drop)
    held = []

    def octets() -> bytes:
        held.append(tracemalloc.get_traced_memory()[0])
        return b"x" * 1_000_000 if len(held) < 3 else b"x\r\n.\r\nNOOP\r\n"

    tracemalloc.start()
    try:
        script = [HELLO, MAIL, RCPT, command, octets, octets, octets]
        SmtpFixture().hold(ScriptedWire(script))
    finally:
        tracemalloc.stop()
    assert held[2] - held[0] < 100_000
