import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.smtp.fakes import (
    HELLO,
    LOGIN,
    MAIL,
    OVERLOAD,
    PROMISES,
    RCPT,
    SHUTDOWN,
    SUBMISSION,
    FakeQueue,
    SmtpFixture,
    lines,
    say,
)
from twisted_mail.interfaces import Peer
from twisted_mail.smtp.settings import Settings
from twisted_mail.testing.wire import LOST, TIMEOUT, ScriptedWire

PEER = Peer("192.0.2.1", 54321)
WHOLE = lines(HELLO, MAIL, RCPT, "DATA", "Subject: x", "", "..hi", ".", "QUIT")


def test_a_message_goes_from_greeting_to_quit() -> None:
    smtp = SmtpFixture()
    replies = smtp.hold(ScriptedWire([WHOLE]))
    assert replies[1:5] == [
        "250 mail.example.org",
        "250 2.1.0 Sender ok",
        "250 2.1.5 Recipient ok",
        "354 End data with <CR><LF>.<CR><LF>",
    ]
    ((envelope, _),) = smtp.queue.accepted
    assert replies[5] == f"250 2.0.0 Ok: queued as {envelope.id}"
    assert replies[6].startswith("221 2.0.0 ")
    assert len(replies) == 7
    assert smtp.content == b"Subject: x\r\n\r\n.hi\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_any_split_of_the_stream_gets_the_same_answers(size: int) -> None:
    smtp = SmtpFixture()
    chunks = [WHOLE[at : at + size] for at in range(0, len(WHOLE), size)]
    replies = smtp.hold(ScriptedWire(chunks))
    assert [reply[:3] for reply in replies] == ["220", "250", "250", "250", "354", "250", "221"]
    assert smtp.content == b"Subject: x\r\n\r\n.hi\r\n"


def test_the_journal_hears_of_the_connection() -> None:
    smtp = SmtpFixture()
    smtp.hold(ScriptedWire([lines("QUIT")]))
    assert smtp.events("connected") == [("smtp", PEER)]
    assert smtp.events("disconnected") == [("smtp", PEER, "quit")]


@pytest.mark.parametrize(
    ("ending", "farewell"),
    [(TIMEOUT, "421 4.4.2"), (SHUTDOWN, "421 4.3.2"), (OVERLOAD, "421 4.3.2"), (LOST, None)],
)
def test_each_ending_has_its_farewell(ending: LOST.__class__, farewell: str | None) -> None:
    smtp = SmtpFixture()
    _, *replies = smtp.hold(ScriptedWire([], ending))
    assert [reply[:9] for reply in replies] == ([farewell] if farewell else [])
    assert smtp.events("disconnected") == [("smtp", PEER, ending.value)]


def test_what_is_kept_of_an_unfinished_line_is_counted() -> None:
    wire = ScriptedWire([b"EHLO c\r\nNO", b"O", b"P\r\n", b"MAIL"])
    SmtpFixture().hold(wire)
    assert wire.held == [2, 3, 4]


def test_an_ending_within_a_message_takes_nothing() -> None:
    smtp = SmtpFixture()
    replies = smtp.hold(ScriptedWire([lines(HELLO, MAIL, RCPT, "DATA", "half")], TIMEOUT))
    assert replies[-1].startswith("421 4.4.2")
    assert not smtp.queue.accepted
    assert smtp.writers[0].is_discarded


def test_unknown_commands_are_500() -> None:
    assert [reply[:9] for reply in say("FROB", "X-FOO bar", "", "\1")] == ["500 5.5.1"] * 4


def test_lines_that_are_no_lines_are_answered_and_not_run() -> None:
    smtp = SmtpFixture()
    replies = smtp.hold(
        ScriptedWire([b"NOOP\nQUIT\nNOOP\rQUIT\r\n" + b"x" * 2049 + b"\r\nNOOP\r\n"])
    )
    assert [reply[:9] for reply in replies[1:]] == [
        "500 5.5.2",
        "500 5.5.2",
        "500 5.5.2",
        "500 5.5.2",
        "250 2.0.0",
    ]


def test_a_line_may_have_2048_octets() -> None:
    assert say("NOOP " + "x" * 2043)[0].startswith("250")


def test_a_bug_is_noted_and_answered_without_our_insides_and_the_connection_goes_on() -> None:
    smtp = SmtpFixture()
    replies = say(HELLO, MAIL, "RCPT TO:<a@bug.example.org>", RCPT, smtp=smtp)
    assert replies[2].startswith("451 4.3.0")
    assert "secret" not in replies[2]
    assert replies[3].startswith("250")
    assert smtp.events("failed") == [("smtp",)]


def test_errors_are_slowed_down_and_then_ended() -> None:
    smtp = SmtpFixture()
    replies = say(*["FROB"] * 30, smtp=smtp)
    assert len(replies) == 21
    assert replies[-1].startswith("421 4.7.0")
    assert smtp.clock.slept == [1] * 9
    assert smtp.events("disconnected")[0][2] == "errors"


def test_a_message_taken_clears_earlier_errors() -> None:
    message = (MAIL, RCPT, "DATA", ".")
    replies = say(HELLO, *["FROB"] * 15, *message, *["FROB"] * 15, "QUIT")
    assert replies[-1].startswith("221")


def test_commands_without_mail_become_errors_after_a_hundred() -> None:
    replies = say(*["NOOP"] * 200)
    assert len(replies) == 121
    assert replies[-1].startswith("421 4.7.0")


def test_asking_for_many_unknown_recipients_ends_the_conversation() -> None:
    settings = Settings(max_unknown=3)
    tries = [f"RCPT TO:<user{number}@example.org>" for number in range(9)]
    smtp = SmtpFixture()
    replies = say(HELLO, MAIL, *tries, smtp=smtp, settings=settings)
    assert [reply[:3] for reply in replies[2:]] == ["550"] * 4 + ["421"]
    assert smtp.events("disconnected")[0][2] == "unknown recipients"


def test_unknown_recipients_are_counted_across_messages() -> None:
    settings = Settings(max_unknown=2)
    once = (MAIL, RCPT, "RCPT TO:<nobody@example.org>", "DATA", ".")
    assert say(HELLO, *once * 5, settings=settings)[-1].startswith("421 4.7.0")


def test_small_pieces_do_not_put_off_the_time_limit() -> None:
    smtp = SmtpFixture()
    wire = ScriptedWire([b"N"] * 1000)

    def a_minute_passes() -> None:
        smtp.clock.seconds += 60

    wire.on_read = a_minute_passes
    assert smtp.hold(wire)[-1].startswith("421 4.4.2")
    assert wire.timeouts == [300, 240, 180, 120, 60]


def test_a_nudge_is_no_end() -> None:
    assert SmtpFixture().hold(ScriptedWire([b"", b"NO", b"", b"OP\r\n"]))[1].startswith("250")


def test_the_login_is_ended_with_the_conversation() -> None:
    smtp = SmtpFixture()
    say("EHLO c", "AUTH PLAIN YWxpY2Ugc2VjcmV0", smtp=smtp, settings=SUBMISSION)
    assert smtp.submitter.is_logged_out


ANY_LINES = st.lists(
    st.sampled_from(
        [
            b"EHLO c\r\n",
            b"HELO c\r\n",
            lines(MAIL),
            b"MAIL FROM:<alice@example.org> BODY=8BITMIME\r\n",
            b"MAIL FROM:alice@example.org SMTPUTF8 SIZE=2000\r\n",
            b"MAIL FROM:<alice@example.org> BODY=BINARYMIME RET=FULL\r\n",
            lines(RCPT),
            b"RCPT TO:<nobody@example.org>\r\n",
            b"RCPT TO:<a@bug.example.org>\r\n",
            b"RCPT TO:<bob@example.org> NOTIFY=NEVER\r\n",
            b"RCPT TO:<\xc3\xa9@example.org>\r\n",
            b"BDAT 0\r\n",
            b"BDAT 6\r\nQUIT\r\n",
            b"BDAT 7 LAST\r\na: b\r\n\r",
            b"BDAT 2000\r\n" + b"y" * 1999 + b"\r",
            b"BDAT 0 LAST\r\n",
            b"BDAT 3 LAST\r\n",
            b"DATA\r\n",
            b"Subject: x\r\n\r\ntext\r\n",
            b".\r\n",
            b"..\r\n",
            b".\n",
            b"\r",
            b"\n",
            b"RSET\r\n",
            b"VRFY <\r\n",
            b"AUTH PLAIN\r\n",
            b"AUTH PLAIN YWxpY2Ugc2VjcmV0\r\n",
            b"AUTH ENDLESS\r\n",
            b"YWxpY2Ugd3Jvbmc=\r\n",
            b"*\r\n",
            b"x" * 700,
            b"QUIT\r\n",
        ]
    ),
    max_size=40,
)


@given(ANY_LINES, st.lists(st.integers(0, 3000), max_size=20), st.booleans())
def test_whatever_is_said_and_however_it_is_cut_the_answers_are_the_same(
    said: list[bytes], cuts: list[int], is_submission: bool
) -> None:
    stream = b"".join([b"EHLO c\r\n", *said])
    ends = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    ways = [
        [stream],
        [stream[start:end] for start, end in itertools.pairwise(ends)],
        [stream[at : at + 1] for at in range(len(stream))],
    ]
    told = []
    for chunks in ways:
        smtp = SmtpFixture(queue=FakeQueue({*PROMISES, "BINARYMIME"}))
        settings = SUBMISSION if is_submission else Settings(offers_login=True, max_size=3000)
        replies = smtp.hold(ScriptedWire(chunks), settings)
        assert all(re.match(r"[2345]\d\d[ -]", reply) for reply in replies)
        assert len(smtp.queue.accepted) == sum("queued as" in reply for reply in replies)
        assert len(smtp.events("failed")) == sum(reply.startswith("451") for reply in replies)
        told.append([re.sub("queued as .*", "queued", reply) for reply in replies])
    assert told[0] == told[1] == told[2]


# ------------------------------------------------------------ before the greeting


SLOW = Settings(greeting_delay=3, refuses_early_talkers=True)


def test_a_client_that_waits_for_the_greeting_is_served() -> None:
    wire = ScriptedWire([TIMEOUT, lines("HELO c", "QUIT")])
    assert [line[:3] for line in SmtpFixture().hold(wire, SLOW)] == ["220", "250", "221"]
    assert wire.timeouts[0] == 3


def test_a_client_that_talks_early_is_sent_away() -> None:
    smtp = SmtpFixture()
    assert smtp.hold(ScriptedWire([lines("HELO c", "QUIT")]), SLOW) == [
        "554 5.5.1 Wait for the greeting before you speak"
    ]
    assert smtp.events("disconnected")[0][-1] == "talked early"


def test_or_served_all_the_same() -> None:
    replies = SmtpFixture().hold(
        ScriptedWire([lines("HELO c", "QUIT")]), Settings(greeting_delay=3)
    )
    assert [line[:3] for line in replies] == ["220", "250", "221"]


def test_a_client_that_goes_before_the_greeting_hears_none() -> None:
    assert SmtpFixture().hold(ScriptedWire([]), SLOW) == []


def test_a_server_that_stops_says_so_instead_of_the_greeting() -> None:
    assert SmtpFixture().hold(ScriptedWire([], SHUTDOWN), SLOW)[-1].startswith("421 4.3.2")


def test_early_talkers_can_only_be_seen_by_those_who_wait() -> None:
    with pytest.raises(ValueError, match=r"^refuses_early_talkers needs a greeting_delay$"):
        Settings(refuses_early_talkers=True)


def test_a_session_ends_at_the_next_command_when_its_account_is_removed() -> None:
    smtp = SmtpFixture()

    def remove() -> bytes:
        smtp.submitter.is_still_valid = False
        return lines(MAIL)

    wire = ScriptedWire([lines("EHLO client.example", LOGIN), remove, lines(RCPT)])
    assert (
        smtp.hold(wire, SUBMISSION)[-1] == "421 4.7.0 The account was removed or disabled; closing"
    )
    assert smtp.submitter.is_logged_out
    assert smtp.queue.accepted == []
