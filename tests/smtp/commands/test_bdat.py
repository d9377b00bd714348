import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.smtp.fakes import LOGIN, MAIL, RCPT, SUBMISSION, FakeQueue, SmtpFixture, lines
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.smtp.settings import Settings
from twisted_mail.testing.wire import TIMEOUT, ScriptedWire

TEXT = b"Subject: x\r\n\r\nbody\r\n.\r\n..\r\nend\r\n"
START = lines("EHLO c", MAIL, RCPT)


def chunk(content: bytes, last: str = "") -> bytes:
    return b"BDAT %d%b\r\n%b" % (len(content), last.encode(), content)


def send(
    *pieces: bytes,
    smtp: SmtpFixture | None = None,
    settings: Settings | None = None,
    start: bytes = START,
) -> list[str]:
    """Return what is answered to what follows RCPT, in one packet."""
    smtp = smtp or SmtpFixture()
    before = len(smtp.hold(ScriptedWire([start]), settings))
    return smtp.hold(ScriptedWire([start + b"".join(pieces)]), settings)[before:]


def codes(replies: list[str]) -> list[str]:
    return [reply[:9] for reply in replies]


def test_one_chunk_is_a_message() -> None:
    smtp = SmtpFixture()
    (reply,) = send(chunk(TEXT, " LAST"), smtp=smtp)
    assert reply.startswith("250 2.0.0 Ok: queued as")
    assert smtp.content == TEXT
    assert smtp.prefix.startswith(b"Received: from c")


def test_chunks_are_answered_one_by_one() -> None:
    smtp = SmtpFixture()
    replies = send(chunk(TEXT[:7]), chunk(b""), chunk(TEXT[7:]), chunk(b"", " LAST"), smtp=smtp)
    assert replies[:3] == [
        "250 2.0.0 7 octets received",
        "250 2.0.0 0 octets received",
        f"250 2.0.0 {len(TEXT) - 7} octets received",
    ]
    assert replies[3].startswith("250 2.0.0 Ok: queued as")
    assert smtp.content == TEXT


@given(st.lists(st.binary(max_size=40), max_size=6), st.data())
def test_any_chunks_in_any_packets_are_the_same_message(
    pieces: list[bytes], data: st.DataObject
) -> None:
    content = b"".join(pieces)
    mail = f"{MAIL} BODY=BINARYMIME"
    stream = lines("EHLO c", mail, RCPT) + b"".join(map(chunk, pieces)) + chunk(b"", " LAST")
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    packets = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True) if a < b]
    smtp = SmtpFixture(queue=FakeQueue({"BINARYMIME"}))
    replies = smtp.hold(ScriptedWire(packets))
    assert replies[-1].startswith("250 2.0.0 Ok")
    assert smtp.content == content


@given(st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"a", b""]), max_size=8))
def test_in_a_text_lf_alone_becomes_crlf_and_cr_alone_is_refused(pieces: list[bytes]) -> None:
    content = re.sub(rb"(?<!\r)\n", b"\r\n", b"".join(pieces))
    smtp = SmtpFixture()
    replies = send(*map(chunk, pieces), chunk(b"", " LAST"), smtp=smtp)
    is_clean = not content.replace(b"\r\n", b"").strip(b"a.")
    assert replies[-1][:9] == ("250 2.0.0" if is_clean else "550 5.6.1")
    assert len(smtp.queue.accepted) == is_clean
    if is_clean:
        end = b"" if content.endswith(b"\r\n") or not content else b"\r\n"
        assert smtp.content == content + end


def test_the_size_of_a_text_is_that_of_its_repaired_octets() -> None:
    settings = Settings(max_size=10)
    assert send(chunk(b"\n" * 5, " LAST"), settings=settings)[-1].startswith("250")
    assert send(chunk(b"\n" * 6, " LAST"), settings=settings)[-1].startswith("552 5.3.4")


def test_a_text_whose_last_line_is_open_gets_its_end() -> None:
    smtp = SmtpFixture()
    send(chunk(b"Subject: x\r\n\r\nbody", " LAST"), smtp=smtp)
    assert smtp.content == b"Subject: x\r\n\r\nbody\r\n"


def test_a_message_may_be_empty() -> None:
    smtp = SmtpFixture()
    assert codes(send(chunk(b"", " LAST"), smtp=smtp)) == ["250 2.0.0"]
    assert smtp.content == b""


def test_commands_inside_a_chunk_are_content() -> None:
    smtp = SmtpFixture()
    smuggled = b"\r\n.\r\n" + lines("RSET", MAIL, RCPT, "DATA", "x", ".")
    assert len(send(chunk(smuggled, " LAST"), b"QUIT\r\n", smtp=smtp)) == 2
    assert smtp.content == smuggled


def test_another_message_may_follow() -> None:
    smtp = SmtpFixture()
    second = lines(MAIL, RCPT) + chunk(b"two\r\n", " LAST")
    third = lines(MAIL, RCPT, "DATA", "three", ".")
    send(chunk(b"one\r\n", " LAST"), second, third, smtp=smtp)
    found = [b"".join(message.blob.pieces()) for _, message in smtp.queue.accepted]
    assert found == [b"one\r\n", b"two\r\n", b"three\r\n"]


# ------------------------------------------------------------ order


@pytest.mark.parametrize(
    ("start", "reply"),
    [
        (b"", "503 5.5.1"),
        (lines("EHLO c"), "503 5.5.1"),
        (lines("EHLO c", MAIL), "554 5.5.1"),
        (lines("EHLO c", MAIL, "RCPT TO:<nobody@example.org>"), "554 5.5.1"),
    ],
)
def test_a_chunk_out_of_order_is_read_and_refused(start: bytes, reply: str) -> None:
    smtp = SmtpFixture()
    replies = send(chunk(lines("QUIT", "QUIT")), b"NOOP\r\n", smtp=smtp, start=start)
    assert codes(replies) == [reply, "250 2.0.0"]


@pytest.mark.parametrize("command", ["DATA", "RCPT TO:<bob@example.org>", MAIL, "STARTTLS"])
def test_nothing_else_of_a_message_comes_between_chunks(command: str) -> None:
    smtp = SmtpFixture()
    replies = send(chunk(b"a"), lines(command), chunk(b"b\r\n", " LAST"), smtp=smtp)
    assert replies[1][:4] in ("503 ", "502 ")
    assert smtp.content == b"ab\r\n"


def test_noop_may_come_between_chunks() -> None:
    smtp = SmtpFixture()
    send(chunk(b"a"), lines("NOOP", "HELP", "VRFY x"), chunk(b"b\r\n", " LAST"), smtp=smtp)
    assert smtp.content == b"ab\r\n"


@pytest.mark.parametrize("command", ["RSET", "EHLO c", "HELO c"])
def test_a_reset_forgets_the_chunks(command: str) -> None:
    smtp = SmtpFixture()
    send(chunk(b"a"), lines(command, MAIL, RCPT), chunk(b"b\r\n", " LAST"), smtp=smtp)
    assert smtp.content == b"b\r\n"
    assert smtp.writers[0].is_discarded


def test_behind_the_last_chunk_another_is_out_of_order() -> None:
    assert codes(send(chunk(b"a", " LAST"), chunk(b"b"), chunk(b"", " LAST"))) == [
        "250 2.0.0",
        "503 5.5.1",
        "503 5.5.1",
    ]


def test_a_binary_message_does_not_come_by_data() -> None:
    smtp = SmtpFixture(queue=FakeQueue({"BINARYMIME"}))
    start = lines("EHLO c", f"{MAIL} BODY=BINARYMIME", RCPT)
    replies = send(b"DATA\r\n", chunk(b"\0\r\n\n\r", " LAST"), smtp=smtp, start=start)
    assert codes(replies) == ["503 5.5.1", "250 2.0.0"]
    assert smtp.content == b"\0\r\n\n\r"
    assert smtp.queue.accepted[0][0].mail_parameters.body == "BINARYMIME"


def test_a_login_may_be_needed_and_the_chunk_is_read_all_the_same() -> None:
    replies = send(chunk(b"QUIT\r\n"), b"NOOP\r\n", start=b"EHLO c\r\n", settings=SUBMISSION)
    assert codes(replies) == ["530 5.7.0", "250 2.0.0"]
    smtp = SmtpFixture()
    start = lines("EHLO c", LOGIN, "MAIL FROM:<alice@example.org>", RCPT)
    send(chunk(b"x\r\n", " LAST"), start=start, settings=SUBMISSION, smtp=smtp)
    assert smtp.content == b"x\r\n"


def test_where_chunks_are_not_offered_they_are_read_and_refused() -> None:
    settings = Settings(hidden_keywords=("CHUNKING",))
    replies = send(chunk(b"QUIT\r\n", " LAST"), b"NOOP\r\n", settings=settings)
    assert codes(replies) == ["502 5.5.1", "250 2.0.0"]


@pytest.mark.parametrize("argument", ["", "x", "-1", "1 FIRST", "99999999999999999999"])
def test_behind_a_malformed_chunk_nothing_is_run(argument: str) -> None:
    replies = send(lines(f"BDAT {argument}", "NOOP"))
    assert len(replies) == 1
    assert replies[0].startswith("501 5.5.4")


# ------------------------------------------------------------ refusals


def test_behind_a_refused_chunk_the_others_are_read_and_refused() -> None:
    smtp = SmtpFixture()
    settings = Settings(max_size=100)
    pieces = [chunk(b"x" * 60)] * 3 + [chunk(b"QUIT\r\n")] * 30 + [chunk(b"", " LAST")]
    replies = send(*pieces, b"NOOP\r\n", smtp=smtp, settings=settings)
    assert codes(replies[:2]) == ["250 2.0.0", "552 5.3.4"]
    assert set(codes(replies[2:-1])) == {"503 5.5.1"}
    assert replies[-1] == "250 2.0.0 Ok"
    assert not smtp.queue.accepted
    assert smtp.writers[0].is_discarded


def test_very_many_chunks_behind_a_refused_one_are_errors() -> None:
    smtp = SmtpFixture()
    settings = Settings(max_size=100, max_junk=5, hard_errors=3)
    replies = send(chunk(b"x" * 101), *[chunk(b"y")] * 20, smtp=smtp, settings=settings)
    assert codes(replies) == ["552 5.3.4", *["503 5.5.1"] * 6, "421 4.7.0"]
    assert smtp.events("disconnected")[-1][2] == "errors"


def test_and_another_message_may_follow() -> None:
    smtp = SmtpFixture()
    settings = Settings(max_size=100)
    next_one = lines(MAIL, RCPT) + chunk(b"x\r\n", " LAST")
    send(chunk(b"x" * 101), chunk(b"y"), next_one, smtp=smtp, settings=settings)
    assert smtp.content == b"x\r\n"


def test_a_last_chunk_that_is_too_large_is_refused_once() -> None:
    replies = send(chunk(b"x" * 101, " LAST"), b"NOOP\r\n", settings=Settings(max_size=100))
    assert codes(replies) == ["552 5.3.4", "250 2.0.0"]


def test_a_message_of_the_size_allowed_is_taken() -> None:
    replies = send(chunk(b"x" * 98), chunk(b"\r\n", " LAST"), settings=Settings(max_size=100))
    assert codes(replies) == ["250 2.0.0"] * 2


def test_a_chunk_beyond_all_measure_ends_the_conversation() -> None:
    smtp = SmtpFixture()
    replies = send(b"BDAT 1001\r\nxxx", b"NOOP\r\n", smtp=smtp, settings=Settings(max_size=100))
    assert codes(replies) == ["552 5.3.4"]
    assert smtp.writers[0].is_discarded


def test_refused_chunks_do_not_go_on_for_ever() -> None:
    smtp = SmtpFixture()
    wire = ScriptedWire([b"EHLO c\r\n" + chunk(b"x" * 300) * 9])
    replies = smtp.hold(wire, Settings(max_size=100, hard_errors=99))
    assert codes(replies[-4:]) == ["503 5.5.1"] * 4
    assert replies[-5][:3] == "250"


@pytest.mark.parametrize("start", [START, b"EHLO c\r\n"])
def test_empty_chunks_do_not_go_on_for_ever(start: bytes) -> None:
    replies = send(b"BDAT 0\r\n" * 500, start=start)
    assert replies[-1].startswith("421 4.7.0")
    assert len(replies) < 200


@pytest.mark.parametrize(
    ("trouble", "answer"),
    [(Unavailable(Outcome(452, "4.3.1", "full")), "452 4.3.1"), (RuntimeError("x"), "451 4.3.0")],
)
def test_a_chunk_that_cannot_be_kept_is_read_to_its_end(trouble: Exception, answer: str) -> None:
    smtp = SmtpFixture(writer_trouble=trouble)
    replies = send(chunk(lines("QUIT")), chunk(lines("QUIT"), " LAST"), b"NOOP\r\n", smtp=smtp)
    assert codes(replies) == [answer, "503 5.5.1", "250 2.0.0"]


def test_what_the_queue_says_is_answered() -> None:
    smtp = SmtpFixture()
    smtp.queue.trouble = Unavailable(Outcome(452, "4.3.1", "The disk is full"))
    assert send(chunk(TEXT, " LAST"), smtp=smtp) == ["452 4.3.1 The disk is full"]
    assert len(smtp.events("refused")) == 1


def test_a_message_with_too_many_hops_is_refused() -> None:
    hops = b"Received: x\r\n" * 51
    assert codes(send(chunk(hops[:300]), chunk(hops[300:], " LAST")))[1] == "554 5.4.6"


def test_nowhere_to_put_it_is_told_behind_the_chunk() -> None:
    replies = send(chunk(lines("QUIT"), " LAST"), b"NOOP\r\n", smtp=SmtpFixture(has_no_writer=True))
    assert codes(replies) == ["451 4.3.0", "250 2.0.0"]


# ------------------------------------------------------------ endings


def test_a_client_that_goes_leaves_nothing() -> None:
    for cut in (b"BDAT 10\r\nxyz", chunk(b"xyz"), chunk(b"xyz") + b"BDAT"):
        smtp = SmtpFixture()
        send(cut, smtp=smtp)
        assert not smtp.queue.accepted
        assert smtp.writers[-1].is_discarded


def test_a_chunk_that_does_not_come_is_waited_for_and_given_up() -> None:
    smtp = SmtpFixture()
    wire = ScriptedWire([START + b"BDAT 10\r\nx"], TIMEOUT)
    assert smtp.hold(wire)[-1].startswith("421 4.4.2")
    assert wire.timeouts[-1] == 180


def test_chunks_that_trickle_are_given_up() -> None:
    smtp = SmtpFixture()
    wire = ScriptedWire([START + b"BDAT 999\r\n", *[b"x"] * 999])

    def a_minute_passes() -> None:
        smtp.clock.seconds += 60

    wire.on_read = a_minute_passes
    assert smtp.hold(wire)[-1].startswith("421 4.4.2")
    assert len(wire.timeouts) < 15


def test_chunks_that_come_with_their_commands_are_given_up_as_well() -> None:
    smtp = SmtpFixture()
    wire = ScriptedWire([START, *[chunk(b"x")] * 999])

    def minutes_pass() -> None:
        smtp.clock.seconds += 299

    wire.on_read = minutes_pass
    assert smtp.hold(wire)[-1].startswith("421 4.4.2")
    assert len(wire.timeouts) < 15


def test_others_have_their_turn_while_a_chunk_comes() -> None:
    wire = ScriptedWire([START, b"BDAT 40 LAST\r\n", *[b"x" * 10] * 4])
    SmtpFixture().hold(wire)
    other = ScriptedWire([START, b"BDAT 40 LAST\r\n" + b"x" * 40])
    SmtpFixture().hold(other)
    assert wire.turns == other.turns + 4
