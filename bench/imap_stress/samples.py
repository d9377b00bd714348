"""The messages that the clients append: small, of every form, and known in all their parts."""

import base64
import random
from dataclasses import dataclass
from email.utils import formatdate

WORDS = (
    *("alpha", "beta", "gamma", "delta", "report", "budget", "lunch", "meeting"),
    *("invoice", "draft", "holiday", "train", "ticket", "weather", "garden"),
)
FIRST_DATE = 1_700_000_000
QUARTER = 21_600  # seconds between two possible dates


@dataclass(frozen=True)
class Sample:
    """One message; ``octets`` is what was appended, ``words`` are those of its text."""

    id: str
    subject: str
    sent: int
    body: str
    octets: bytes

    @property
    def words(self) -> list[str]:
        return self.body.split()

    @property
    def header(self) -> str:
        return self.octets.partition(b"\r\n\r\n")[0].decode() + "\r\n\r\n"

    @property
    def text(self) -> str:
        return self.octets.partition(b"\r\n\r\n")[2].decode()


def make(number: int) -> Sample:
    """Return the sample of a number, always the same."""
    chance = random.Random(number)
    subject = " ".join(chance.choice(WORDS) for _ in range(chance.randint(1, 5)))
    sent = FIRST_DATE + chance.randint(0, 40) * QUARTER
    body = "\r\n".join(_line(chance) for _ in range(chance.randint(1, 40)))
    octets = _header(number, subject, sent) + _rest(number, body)
    return Sample(f"<m{number}@stress.test>", subject, sent, body, octets.encode())


def _line(chance: random.Random) -> str:
    number = chance.randint(2, 10)
    return " ".join(f"{chance.choice(WORDS)}{chance.randint(0, 9)}" for _ in range(number))


def _header(number: int, subject: str, sent: int) -> str:
    shown = f"=?utf-8?q?{subject.replace(' ', '_')}?=" if number % 7 == 3 else subject
    header = (
        f'From: "User {number}" <user{number % 5}@example.org>\r\n'
        f"To: group: a@x.org, b{number}@y.org;\r\nDate: {formatdate(sent)}\r\n"
        f"Subject: {shown}\r\nMessage-ID: <m{number}@stress.test>\r\n"
    )
    if number % 3 == 0:
        header += f"Cc: c{number}@example.org,\r\n d@example.org\r\n"
        header += f"References: <a@b> <c{number}@d>\r\nIn-Reply-To: <c{number}@d>\r\n"
    return header


def _rest(number: int, body: str) -> str:
    kind = number % 5
    if kind == 1:
        return (
            'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="bb"\r\n\r\nprologue\r\n'
            "--bb\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n--bb\r\n"
            f"Content-Type: message/rfc822\r\n\r\nFrom: in@x.org\r\nSubject: inner {number}\r\n\r\n"
            f"{body}\r\n--bb--\r\n"
        )
    if kind == 2:
        encoded = base64.encodebytes(body.encode()).decode().replace("\n", "\r\n")
        header = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"
        return f"{header}Content-Transfer-Encoding: base64\r\n\r\n{encoded}"
    return "\r\n" + f"{body}\r\n" * (60 if number % 10 == 9 else 1)


SAMPLES = [make(number) for number in range(40)]
BY_ID = {sample.id: sample for sample in SAMPLES}
