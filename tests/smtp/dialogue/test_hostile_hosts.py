"""What bad next hops get: a failure for now with words of its own, and the connection ended.

The clock is still: no test waits. What needs sockets is in ``tests/whole/test_hostile_hosts.py``.
"""

import pytest
from twisted.internet.defer import Deferred

from tests.dialogues.sent_mail import SentMail
from tests.smtp.dialogue.hosts import MemoryServerLine, Talk, mail
from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.mail.queued.job import Transaction
from twisted_mail.net.connection.outlet import TransportOutlet
from twisted_mail.smtp.dialogue.replies import MAX_LINE, MAX_TEXT

# What a good host says, up to the answer to the message.
GOOD = [
    b"220 mx ESMTP\r\n",
    b"250-mx\r\n250 PIPELINING\r\n",
    b"250 Ok\r\n250 Ok\r\n354 Go\r\n",
    b"250 Done\r\n",
]
STEPS = range(len(GOOD))


def talk_up_to(step: int) -> Talk:
    """Return a talk in which a good host has said so many of its lines."""
    talk = Talk(SentMail([mail()]))
    for octets in GOOD[:step]:
        talk.line().send([octets])
    assert not talk.is_over
    return talk


def fails_for_now(talk: Talk, words: str) -> None:
    """Check that the connection is over, for the reason that these words name."""
    assert talk.is_over
    assert talk.end is not None
    assert talk.end.outcome.is_temporary
    assert words in talk.end.outcome.text
    assert talk.end.reply_class is ReplyClass.NETWORK
    assert talk.line().transport.is_gone
    for _, _, attempt in talk.supply.attempts:
        assert attempt.outcome == talk.end.outcome


def close_window(line: MemoryServerLine) -> TransportOutlet:
    """Let the host take nothing more, but for a piece each time that the outlet is resumed."""
    outlet: TransportOutlet = line.connection._outlet
    line.transport.write = lambda data: outlet.pauseProducing()  # type: ignore[method-assign]
    return outlet


@pytest.mark.parametrize("step", STEPS)
def test_silence(step: int) -> None:
    talk = talk_up_to(step)
    talk.line().pass_time(119)
    assert not talk.is_over
    talk.line().pass_time(490)
    fails_for_now(talk, "No answer within")


@pytest.mark.parametrize("step", STEPS)
def test_one_octet_a_second_does_not_put_off_the_limit(step: int) -> None:
    talk = talk_up_to(step)
    line = talk.line()
    slow = b"220-" + b"x" * 700
    for at in range(len(slow)):
        line.send([slow[at : at + 1]])
        line.pass_time(1)
        if talk.is_over:
            break
    fails_for_now(talk, "No answer within")


@pytest.mark.parametrize("step", STEPS)
def test_a_line_without_end(step: int) -> None:
    talk = talk_up_to(step)
    talk.line().send([b"250 " + b"x" * MAX_LINE])
    fails_for_now(talk, "a line without end")


@pytest.mark.parametrize("step", STEPS)
def test_a_reply_without_end(step: int) -> None:
    talk = talk_up_to(step)
    for _ in range(200):
        talk.line().send([b"220-more\r\n"])
    fails_for_now(talk, "a reply without end")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("octets", [b"\r\n", b"\x16\x03\x01\x02\r\n", b"<html>\r\n", b"2\r\n"])
def test_garbage(step: int, octets: bytes) -> None:
    talk = talk_up_to(step)
    talk.line().send([octets])
    fails_for_now(talk, "what is no reply")


@pytest.mark.parametrize("step", STEPS)
def test_nul(step: int) -> None:
    talk = talk_up_to(step)
    talk.line().send([b"250 a\0b\r\n"])
    fails_for_now(talk, "a reply with NUL")


def test_octets_above_127_are_data() -> None:
    talk = talk_up_to(3)
    talk.line().send([b"550 5.0.0 caf\xe9 \xc3\xa9\r\n"])
    [(_, _, attempt)] = talk.supply.attempts
    assert attempt.outcome.text == "caf\N{REPLACEMENT CHARACTER} é"


def test_control_signs_and_a_long_text_are_one_bounded_line() -> None:
    talk = talk_up_to(3)
    evil = b"\x1b]0;evil\x07<b>x</b>\rBcc: eve" + b"x" * 1500
    talk.line().send([b"550-5.7.1 " + evil + b"\r\n", b"550 5.7.1 " + evil + b"\r\n"])
    [(_, _, attempt)] = talk.supply.attempts
    assert attempt.outcome.text.isprintable()
    assert len(attempt.outcome.text) <= MAX_TEXT
    assert "<b>x</b> Bcc: eve" in attempt.outcome.text


@pytest.mark.parametrize("octet", range(sum(map(len, GOOD))))
def test_the_end_at_any_octet(octet: int) -> None:
    talk = Talk(SentMail([mail()]))
    line, left = talk.line(), octet
    for octets in GOOD:
        line.send([octets[:left]])
        left = max(0, left - len(octets))
    line.close()
    fails_for_now(talk, "The connection was lost")


def test_a_message_whose_answer_is_lost_may_have_been_taken() -> None:
    talk = talk_up_to(3)
    talk.line().close()
    [(_, _, attempt)] = talk.supply.attempts
    assert attempt.outcome.text.endswith("; the message may have been taken")
    assert attempt.command == "."


@pytest.mark.parametrize("answer", [b"250 Ok\r\n", b"235 Ok\r\n", b"334 \r\n"])
def test_data_is_answered_by_354_or_a_refusal(answer: bytes) -> None:
    talk = talk_up_to(2)
    talk.line().send([b"250 Ok\r\n250 Ok\r\n" + answer])
    fails_for_now(talk, "an answer that fits no command")
    assert b"Subject" not in talk.heard()


@pytest.mark.parametrize("answers", [b"354 Go\r\n", b"250 Ok\r\n354 Go\r\n"])
def test_354_out_of_order_sends_nothing(answers: bytes) -> None:
    talk = talk_up_to(2)
    talk.line().send([answers])
    fails_for_now(talk, "an answer that fits no command")
    assert b"Subject" not in talk.heard()


def test_a_250_before_the_message_was_sent_is_not_believed() -> None:
    talk = talk_up_to(2)
    talk.line().send([b"250 Ok\r\n250 Ok\r\n354 Go\r\n250 I have it\r\n"])
    fails_for_now(talk, "an answer to nothing that was said")
    assert b"Subject" not in talk.heard()


def test_a_refusal_that_comes_twice_is_not_the_answer_to_what_was_not_yet_said() -> None:
    talk = Talk(SentMail([mail("eve@remote.example, bob@remote.example")]))
    talk.greet()
    talk.says("250 Ok")
    talk.says("550 5.1.1 No such user", "550 5.1.1 No such user")
    fails_for_now(talk, "an answer to nothing that was said: 550 No such user")
    assert [n for _, n, _ in talk.supply.attempts] == [1, 2]
    assert b"bob" not in talk.heard()


def test_a_host_that_speaks_while_nothing_is_asked_is_out_of_step() -> None:
    waiting = WaitingSupply()
    talk = Talk(waiting)
    talk.greet("PIPELINING")
    talk.says("250 Hello again")
    waiting.give()
    fails_for_now(talk, "an answer to nothing that was said")
    assert waiting.attempts == []


def test_a_host_that_closes_while_nothing_is_asked_leaves_the_message_as_it_was() -> None:
    waiting = WaitingSupply()
    talk = Talk(waiting)
    talk.greet("PIPELINING")
    talk.says("421 4.4.2 Idle too long")
    waiting.give()
    assert talk.end is not None
    assert (talk.end.outcome.code, talk.end.use) == (421, 0)
    assert waiting.attempts == []


def test_a_host_that_offers_pipelining_and_answers_the_first_command_alone() -> None:
    talk = talk_up_to(2)
    talk.line().send([b"250 Ok\r\n"])
    talk.line().pass_time(301)
    fails_for_now(talk, "No answer within 300 seconds")


def test_a_host_that_refuses_what_it_offers() -> None:
    talk = Talk(SentMail([mail()]))
    talk.greet("PIPELINING", "SIZE 1000", "8BITMIME")
    talk.says("555 5.5.4 SIZE is not known here", "503 Bad", "503 Bad")
    [(_, _, attempt)] = talk.supply.attempts
    assert attempt.outcome.code == 555
    assert attempt.command == "MAIL FROM:<alice@example.org> SIZE=22"


def test_a_window_that_stays_closed() -> None:
    talk = Talk(SentMail([mail(data=b"x" * 70 + b"\r\n" * 100_000)]))
    talk.greet("PIPELINING")
    line = talk.line()
    close_window(line)
    talk.says("250 Ok", "250 Ok", "354 Go")
    line.pass_time(179)
    assert not talk.is_over
    line.pass_time(2)
    fails_for_now(talk, "took nothing for 180 seconds")


def test_a_whole_message_has_a_limit_by_its_size() -> None:
    talk = Talk(SentMail([mail(data=b"x\r\n" * 1024 * 1024)]))
    talk.greet("PIPELINING")
    line = talk.line()
    outlet = close_window(line)
    talk.says("250 Ok", "250 Ok", "354 Go")
    seconds = 0
    while not talk.is_over:  # a chunk is taken every three minutes, just in time
        line.pass_time(179)
        seconds += 179
        outlet.resumeProducing()
        assert seconds < 6000
    assert seconds > 1800
    fails_for_now(talk, "in the time that all of it may take")


def test_a_refusal_in_the_middle_of_a_message_is_the_answer() -> None:
    talk = Talk(SentMail([mail(data=b"x\r\n" * 100_000)]))
    talk.greet("PIPELINING")
    line = talk.line()
    outlet = close_window(line)
    talk.says("250 Ok", "250 Ok", "354 Go")
    talk.says("552 5.3.4 Too large")
    outlet.resumeProducing()
    assert talk.end is not None
    assert (talk.end.outcome.code, talk.end.command, talk.end.is_reply) == (552, "DATA", True)
    assert [one.outcome.code for _, _, one in talk.supply.attempts] == [552]
    assert not talk.heard().endswith(b"\r\n.\r\n")


def test_421_in_the_middle_of_a_message_is_for_now() -> None:
    talk = Talk(SentMail([mail(data=b"x\r\n" * 100_000)]))
    talk.greet("PIPELINING")
    line = talk.line()
    outlet = close_window(line)
    talk.says("250 Ok", "250 Ok", "354 Go")
    talk.says("421 4.3.2 Shutting down")
    outlet.resumeProducing()
    assert talk.end is not None
    assert (talk.end.outcome.code, talk.end.command) == (421, "DATA")
    assert [one.outcome.code for _, _, one in talk.supply.attempts] == [421]
    assert line.transport.is_gone


def test_what_a_host_says_before_it_breaks_off_is_the_answer() -> None:
    talk = Talk(SentMail([mail(data=b"x\r\n" * 100_000)]))
    talk.greet("PIPELINING")
    line = talk.line()
    close_window(line)
    talk.says("250 Ok", "250 Ok", "354 Go")
    line.send([b"554 5.7.1 No\r\n"])
    line.close()
    assert [one.outcome.text for _, _, one in talk.supply.attempts] == ["No"]


class WaitingSupply(SentMail):
    """Has nothing, until a message is given to whoever waits."""

    def __init__(self) -> None:
        super().__init__([])
        self._waiter: Deferred[Transaction | None] = Deferred()

    async def wait(self, seconds: float) -> Transaction | None:
        return await self._waiter

    def give(self) -> None:
        self._waiter.callback(mail())
