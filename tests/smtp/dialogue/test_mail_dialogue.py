"""Handing messages on: what a dialogue cannot show."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred

from tests.dialogues.sent_mail import SentMail
from tests.smtp.dialogue.hosts import SETTINGS, Talk, mail
from twisted_mail.mail.message import Message
from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.mail.queued.job import Transaction
from twisted_mail.smtp.dialogue.content import CHUNK, stuffed
from twisted_mail.smtp.dialogue.settings import DialogueLimits

LIMITS = DialogueLimits()
TAKEN = ("250 Ok", "250 Ok", "354 Go")


class FileBlob:
    """A blob that is read from a file, or cannot be; it counts how often it was closed."""

    def __init__(self, data: bytes, fails_at: int = 1 << 60) -> None:
        self._data = data
        self._fails_at = fails_at
        self.closed = 0
        self.largest = 0

    @property
    def size(self) -> int:
        return len(self._data)

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        stop = self.size if stop is None else stop
        if stop > self._fails_at:
            raise OSError(5, "Input/output error", "a-body")
        self.largest = max(self.largest, stop - start)
        yield self._data[start:stop]

    def close(self) -> None:
        self.closed += 1


def from_file(blob: FileBlob) -> Transaction:
    return replace(mail(), message=Message(blob, b"Received: here\r\n"))


def test_a_large_message_is_read_in_chunks_and_arrives_whole() -> None:
    data = b"Subject: x\r\n\r\n" + b".dots\r\n" * 40_000
    blob = FileBlob(data)
    talk = Talk(SentMail([from_file(blob)]))
    talk.greet("PIPELINING")
    talk.heard()
    talk.says(*TAKEN)
    assert talk.heard() == stuffed(b"Received: here\r\n" + data)
    talk.says("250 Ok")
    assert talk.supply.results == ["bob@remote.example 250 Ok | ."]
    assert blob.closed == 0  # it is lent


def test_a_message_that_cannot_be_read_is_reported_and_not_ended() -> None:
    blob = FileBlob(b"x\r\n" * CHUNK, fails_at=CHUNK)
    talk = Talk(SentMail([replace(from_file(blob), message=Message(blob))]))
    blob.pieces = lambda start=0, stop=None: iter([b""])  # type: ignore[method-assign,assignment]
    talk.greet("PIPELINING", "8BITMIME")
    del blob.pieces
    talk.heard()
    talk.says(*TAKEN)
    assert not talk.heard().endswith(b".\r\n")
    assert [where for where, _ in talk.hosts.faults] == ["queue"]
    [(_, _, attempt)] = talk.supply.attempts
    assert (attempt.outcome.code, attempt.outcome.enhanced) == (451, "4.3.0")
    assert "a-body" not in attempt.outcome.text


def test_a_message_that_cannot_be_looked_at_costs_the_next_nothing() -> None:
    broken = from_file(FileBlob(b"x\r\n", fails_at=0))
    talk = Talk(SentMail([broken, mail("carol@remote.example")]))
    talk.greet("PIPELINING")
    talk.says(*TAKEN)
    talk.says("250 Ok")
    assert [one.outcome.code for _, _, one in talk.supply.attempts] == [451, 250]
    assert [where for where, _ in talk.hosts.faults] == ["m1"]


class AnsweredBlob(FileBlob):
    """Cannot be read, and meanwhile the host answers and goes."""

    talk: Talk

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        self.talk.says("250 Taken")
        self.talk.line().connection.readConnectionLost()
        raise OSError(5, "Input/output error", "a-body")


def test_a_message_is_taken_though_the_host_goes_while_the_next_is_begun() -> None:
    broken, next_one = AnsweredBlob(b"x\r\n"), from_file(FileBlob(b"x\r\n"))
    talk = broken.talk = Talk(SentMail([mail(), from_file(broken), next_one]))
    talk.greet("PIPELINING")
    talk.says(*TAKEN)
    assert talk.supply.results == [
        "bob@remote.example 451 4.3.0 The message cannot be read here now |",
        "bob@remote.example 250 Taken | .",
    ]
    assert talk.end is not None
    assert talk.end.outcome.enhanced == "4.4.2"


def test_fields_of_a_recipient_stand_in_front_of_the_message() -> None:
    plain = mail()
    owed = replace(plain.recipients[0], fields=b"List-Unsubscribe: <x>\r\n")
    talk = Talk(SentMail([replace(plain, recipients=(owed,))]))
    talk.greet("PIPELINING", "SIZE")
    assert b" SIZE=45\r\n" in talk.heard()
    talk.says(*TAKEN)
    assert talk.heard().startswith(b"List-Unsubscribe: <x>\r\nSubject: Hi\r\n")


def test_as_many_messages_as_a_connection_is_good_for() -> None:
    settings = replace(SETTINGS, limits=replace(LIMITS, max_messages=1))
    talk = Talk(SentMail([mail(), mail()]), settings)
    talk.greet("PIPELINING")
    talk.heard()
    talk.says(*TAKEN)
    assert talk.heard().endswith(b"\r\n.\r\n")
    talk.says("250 Ok")
    assert talk.heard() == b"QUIT\r\n"
    assert len(talk.supply.attempts) == 1
    assert talk.supply.next() is not None  # nobody took it


def test_a_connection_is_good_for_so_long() -> None:
    talk = Talk(SentMail([mail(), mail()]))
    talk.greet("PIPELINING")
    talk.says(*TAKEN[:2])
    talk.line().pass_time(100)
    talk.says(TAKEN[2])
    talk.line().pass_time(250)
    talk.heard()
    talk.says("250 Ok", *TAKEN)
    talk.says("250 Ok")
    assert talk.is_over
    assert talk.session is not None
    assert not talk.session.is_open


def test_attempts_have_what_is_known() -> None:
    talk = Talk(SentMail([mail(), mail("carol@remote.example")]))
    talk.greet("PIPELINING", "DSN", "X-OTHER")
    talk.line().pass_time(1)
    talk.says(*TAKEN)
    talk.line().pass_time(2)
    talk.says("250 2.0.0 Ok: queued as 1", *TAKEN)
    talk.says("250 2.0.0 Ok: queued as 2")
    first, second = (attempt for _, _, attempt in talk.supply.attempts)
    assert (first.host, first.address) == ("mx.remote.example", "192.0.2.25")
    assert first.source == "127.0.0.1"
    assert (first.use, second.use) == (1, 2)
    assert first.keywords == {"DSN"}
    assert first.is_reply
    assert first.at == talk.hosts.clock.now()
    assert set(first.phases) == {"connect", "envelope", "content"}
    assert first.phases["envelope"] == pytest.approx(1)
    assert first.phases["content"] == pytest.approx(2)
    assert set(second.phases) == {"envelope", "content"}


def test_what_we_find_ourselves_is_no_reply() -> None:
    talk = Talk(SentMail([mail(data=b"x" * 70_001)]))
    talk.greet("SIZE 70000")
    [(_, _, attempt)] = talk.supply.attempts
    assert attempt.reply_class is ReplyClass.SIZE
    assert not attempt.is_reply


def test_who_is_cancelled_notes_nothing() -> None:
    talk = Talk(SentMail([mail()]))
    talk.greet("PIPELINING")
    talk.says(*TAKEN)
    talk.running.addErrback(lambda _: None)
    talk.running.cancel()
    assert talk.line().transport.is_gone
    assert talk.supply.attempts == []


def test_an_error_of_the_supply_ends_the_connection() -> None:
    supply = SentMail([mail()])
    supply.done = lambda *_: 1 / 0  # type: ignore[assignment,method-assign,return-value]
    talk = Talk(supply)
    failures: list[object] = []
    talk.running.addErrback(failures.append)
    talk.greet("PIPELINING")
    talk.says(*TAKEN)
    talk.says("250 Ok")
    assert len(failures) == 1
    assert talk.line().transport.is_gone


def test_lmtp_asks_for_no_message_that_nobody_gets() -> None:
    talk = Talk(SentMail([mail()]), replace(SETTINGS, is_lmtp=True))
    talk.greet("PIPELINING")
    talk.says("250 Ok", "550 5.1.1 No", "354 Go")
    assert talk.supply.results == ["bob@remote.example 550 5.1.1 No | RCPT TO:<bob@remote.example>"]
    assert talk.end is not None
    assert talk.line().transport.is_gone


def test_recipients_beyond_the_limit_of_the_connection_are_left_as_they_were() -> None:
    settings = replace(SETTINGS, limits=replace(LIMITS, max_messages=1, max_recipients=1))
    talk = Talk(SentMail([mail("a@remote.example, b@remote.example")]), settings)
    talk.greet("PIPELINING")
    talk.says(*TAKEN)
    talk.says("250 Ok")
    assert talk.supply.results == ["a@remote.example 250 Ok | ."]
    assert talk.end is None


def test_fewer_accepted_for_other_reasons_are_no_limit() -> None:
    """The host refused one of two; it did not say that two are too many."""
    settings = replace(SETTINGS, limits=replace(LIMITS, max_recipients=2))
    names = ", ".join(f"{name}@remote.example" for name in "abcd")
    talk = Talk(SentMail([mail(names)]), settings)
    talk.greet("PIPELINING")
    talk.says("250 Ok", "550 No", "250 Ok", "354 Go")
    heard = talk.heard()
    assert heard.endswith(b"RCPT TO:<c@remote.example>\r\nRCPT TO:<d@remote.example>\r\nDATA\r\n")


@pytest.mark.parametrize(
    ("reply", "is_limit"),
    [
        ("452 4.5.3 Too many recipients", True),
        ("452 Enough", True),
        ("452 4.2.2 Mailbox full", False),
        ("452 4.3.1 No space", False),
        ("552 5.5.3 Too many", True),
        ("552 Too many recipients in one mail", True),
        ("552 5.2.2 Mailbox full", False),
        ("450 4.5.3 Too many recipients", False),
        ("550 Too many recipients", False),
    ],
)
def test_what_says_that_one_more_is_too_many(reply: str, is_limit: bool) -> None:
    talk = Talk(SentMail([mail("a@remote.example, b@remote.example")]))
    talk.greet("PIPELINING")
    talk.heard()
    talk.says("250 Ok", "250 Ok", reply, "354 Go")
    heard = talk.heard()
    assert heard.endswith(b"RCPT TO:<b@remote.example>\r\nDATA\r\n") == is_limit


def test_the_first_recipient_is_never_one_too_many() -> None:
    talk = Talk(SentMail([mail()]))
    talk.greet("PIPELINING")
    talk.says("250 Ok", "452 4.5.3 Too many recipients", "554 Nobody")
    assert [one.outcome.code for _, _, one in talk.supply.attempts] == [452]


class LaterMail(SentMail):
    """Has one message at once, and more when a test gives them."""

    def __init__(self) -> None:
        super().__init__([mail()])
        self._waiter: Deferred[Transaction | None] = Deferred()

    async def wait(self, seconds: float) -> Transaction | None:
        self._waiter = Deferred()
        return await self._waiter

    def give(self, transaction: Transaction | None) -> None:
        self._waiter.callback(transaction)


def waiting() -> Talk:
    """Return a talk in which one message has gone, and the client waits for more."""
    talk = Talk(LaterMail())
    talk.greet("PIPELINING", "SIZE 70000")
    talk.says(*TAKEN)
    talk.says("250 One")
    talk.heard()
    assert not talk.is_over
    return talk


def test_a_connection_that_waits_takes_what_comes() -> None:
    talk = waiting()
    talk.supply.give(mail("carol@remote.example"))
    assert b"RCPT TO:<carol@remote.example>" in talk.heard()
    talk.says(*TAKEN)
    talk.says("250 Two")
    talk.supply.give(None)
    assert talk.end is None
    assert [one.outcome.text for *_, one in talk.supply.attempts] == ["One", "Two"]


def test_what_the_host_does_not_take_is_not_the_end_of_waiting() -> None:
    talk = waiting()
    talk.supply.give(mail(data=b"x" * 70_001))
    assert talk.heard() == b""
    talk.supply.give(mail("carol@remote.example"))
    assert b"RCPT TO:<carol@remote.example>" in talk.heard()


def test_a_message_for_a_connection_that_was_lost_meanwhile_is_left_as_it_was() -> None:
    talk = waiting()
    talk.line().close()
    talk.supply.give(mail("carol@remote.example"))
    assert talk.end is not None
    assert talk.end.use == 2
    assert len(talk.supply.attempts) == 1


def test_no_more_is_begun_on_a_connection_that_has_grown_old_while_it_waited() -> None:
    talk = waiting()
    talk.line().pass_time(301)
    talk.supply.give(mail("carol@remote.example"))
    assert talk.heard() == b"QUIT\r\n"
    assert len(talk.supply.attempts) == 1
