from typing import Any

from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.notice import Notice, text_content
from twisted_mail.mail.outcome import Refused
from twisted_mail.queue.mailer import QueueMailer
from twisted_mail.testing.doubles import StillClock, finish

NEWS, ALICE = parse("news-request@example.org"), parse("alice@example.org")
NOTICE = Notice(NEWS, ALICE, "Hello", text_content("One\n"))


class FakeQueue:
    """Keeps what it takes; may refuse everything."""

    def __init__(self) -> None:
        self.taken: list[tuple[Envelope, bytes]] = []
        self.is_closed = False

    async def accept(self, envelope: Envelope, message: Message) -> None:
        if self.is_closed:
            raise Refused("There is no such mailbox")
        self.taken.append((envelope, b"".join(message.pieces())))


def make_mailer(queue: Any) -> QueueMailer:
    return QueueMailer(queue, StillClock(), "mail.example.org")


def test_a_notice_has_the_null_sender_and_ids_of_this_host() -> None:
    queue = FakeQueue()
    assert finish(make_mailer(queue).send(NOTICE))
    ((envelope, data),) = queue.taken
    assert envelope.sender.is_null
    assert envelope.recipients == (ALICE,)
    assert b"@mail.example.org>\r\n" in data
    assert data.endswith(b"\r\n\r\nOne\r\n")


def test_it_returns_whether_the_recipient_can_be_reached() -> None:
    queue = FakeQueue()
    queue.is_closed = True
    assert not finish(make_mailer(queue).send(NOTICE))
