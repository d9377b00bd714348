from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import default

from hypothesis import given
from hypothesis import strategies as st

from tests.support import StillClock, finish
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import Refused
from twisted_mail.queue.mailer import Mailer, Notice

NEWS, ALICE = parse("news-request@example.org"), parse("alice@example.org")


class FakeQueue:
    def __init__(self) -> None:
        self.taken: list[tuple[Envelope, bytes]] = []
        self.is_closed = False

    async def accept(self, envelope: Envelope, message: Message) -> None:
        if self.is_closed:
            raise Refused("There is no such mailbox")
        self.taken.append((envelope, b"".join(message.pieces())))


def test_a_letter_has_the_null_sender_and_says_that_a_program_wrote_it() -> None:
    queue = FakeQueue()
    post = Mailer(queue, StillClock(), "mail.example.org")  # type: ignore[arg-type]
    assert finish(post.send(Notice(NEWS, ALICE, "Hello", "One\nTwo\n")))
    ((envelope, data),) = queue.taken
    assert envelope.sender.is_null
    assert envelope.recipients == (ALICE,)
    letter = message_from_bytes(data, policy=default)
    assert letter["From"] == "news-request@example.org"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].endswith("@mail.example.org>")
    assert letter["Date"] == "Sun, 09 Sep 2001 01:46:40 +0000"
    assert letter.get_content() == "One\r\nTwo\r\n"


def test_who_cannot_be_reached_is_said_so() -> None:
    queue = FakeQueue()
    queue.is_closed = True
    post = Mailer(queue, StillClock(), "mail.example.org")  # type: ignore[arg-type]
    assert not finish(post.send(Notice(NEWS, ALICE, "Hello", "")))


@given(st.text(max_size=300), st.text(st.characters(exclude_characters="\r"), max_size=300))
def test_any_words_make_a_letter_of_ascii_and_short_lines(subject: str, text: str) -> None:
    post = Mailer(FakeQueue(), StillClock(), "mail.example.org")  # type: ignore[arg-type]
    data = post.compose(Notice(NEWS, ALICE, subject, text))
    assert data.isascii()
    lines = data.split(b"\r\n")
    assert all(len(line) <= 998 and b"\n" not in line for line in lines)
    letter = message_from_bytes(data)
    assert letter["MIME-Version"] == "1.0"
    shown = str(make_header(decode_header(letter["Subject"].replace("\r\n", ""))))
    if subject.isprintable() and "=?" not in subject and len(subject) < 200:
        assert "".join(shown.split()) == "".join(subject.split())
