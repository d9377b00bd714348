"""Letters that the server itself writes: to members and owners of lists, and to senders of lost mail.

All have the null sender and say that a program has written them, so that nobody's program answers
(RFC 3834 §5). Signs that are not ASCII are written as quoted-printable.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from quopri import encodestring

from twisted_mail.interfaces import Clock, Queue
from twisted_mail.mail.address import NULL, Address
from twisted_mail.mail.dates import format_mail_date
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.ids import make_id
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Refused


@dataclass(frozen=True, slots=True)
class Notice:
    """One letter: from whom it seems to come, to whom it goes, and what it says, with LF line ends."""

    sender: Address
    recipient: Address
    subject: str
    text: str


class Mailer:
    """Sends letters through the one door for mail."""

    def __init__(self, queue: Queue, clock: Clock, hostname: str) -> None:
        self._queue = queue
        self._clock = clock
        self._hostname = hostname

    async def send(self, letter: Notice) -> bool:
        """Send a letter; say whether its recipient can be reached at all. Raises Unavailable."""
        return await self.send_raw(letter.recipient, self.compose(letter))

    async def send_raw(self, recipient: Address, data: bytes) -> bool:
        """Send a message that is written out already, under the null sender."""
        envelope = Envelope(self._id(), NULL, (recipient,))
        try:
            await self._queue.accept(envelope, Message(MemoryBlob(data)))
        except Refused:
            return False
        return True

    def now(self) -> float:
        """Return seconds since 1970."""
        return self._clock.now()

    def _id(self) -> str:
        return make_id(self._clock.now(), random.getrandbits)

    def head(self, sender: Address, recipient: Address, subject: str, kind: str) -> bytes:
        """Return the fields with which every letter begins; ``kind`` is of RFC 3834 §5.2."""
        lines = [
            f"From: <{sender}>",
            f"To: <{recipient}>",
            f"Subject: {_encoded(subject)}",
            f"Date: {format_date(self._clock.now())}",
            f"Message-ID: <{self._id()}@{self._hostname}>",
            f"Auto-Submitted: {kind}",
            "MIME-Version: 1.0",
        ]
        return "".join(f"{line}\r\n" for line in lines).encode()

    def received_field(self, id: str, why: str) -> bytes:
        """Return the trace field of mail that goes on from here (RFC 5321 §4.4)."""
        now = format_date(self._clock.now())
        return f"Received: by {self._hostname} ({why}) id {id};\r\n\t{now}\r\n".encode()

    def compose(self, letter: Notice) -> bytes:
        """Return a letter as it is sent."""
        head = self.head(letter.sender, letter.recipient, letter.subject, "auto-generated")
        return head + text_part(letter.text)


def format_date(seconds: float) -> str:
    """Return seconds since 1970 as header fields have them."""
    return format_mail_date(datetime.fromtimestamp(int(seconds), UTC))


def text_part(text: str) -> bytes:
    """Return the fields and the body of a text with LF line ends."""
    body = encodestring(text.encode("utf-8", "replace")).replace(b"\n", b"\r\n")
    fields = (
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    )
    return fields.encode() + b"\r\n" + body


def _encoded(text: str) -> str:
    """Return a subject fit for a header, however strange it is."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)[:200]
    return plain if plain.isascii() else Header(plain, "utf-8").encode(linesep="\r\n")
