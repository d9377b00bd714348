"""Mail that looks real, the same at every run: threads, encodings, attachments, 1 to 30 KiB."""

import base64
import quopri
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

NAMES = (
    "Ada Lovelace",
    "Björn Åkesson",
    "Chloé Dubois",
    "田中 太郎",
    "Dmitri Иванов",
    "Eve O'Neil",
)
_WORDS = """
    meeting budget garden ketchup pickles railway invoice holiday window paper Tuesday train question
    answer report draft server letter kitchen music bicycle harbour winter orange
"""
WORDS = tuple(_WORDS.split())
ACCENTED = ["Übergröße", "café", "naïve", "señor", "façade", "東京", "привет", "Ελλάδα", "złoty"]
FIRST = datetime(2021, 3, 1, 8, 0, tzinfo=UTC)
FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "\\Draft", "$Forwarded", "work", "NonJunk")


class Sample(NamedTuple):
    """One message with CRLF line ends, and what stands beside it."""

    data: bytes
    flags: frozenset[str]
    date: datetime


def mails(number: int, seed: int = 1) -> Iterator[Sample]:
    """Yield so many messages."""
    chance = random.Random(seed)
    threads: list[tuple[str, str]] = []
    for each in range(number):
        date = FIRST + timedelta(minutes=17 * each, seconds=chance.randrange(60))
        answered = chance.choice(threads) if threads and chance.random() < 0.4 else None
        message_id = f"<{each}.{chance.randrange(10**9)}@example.org>"
        subject = f"Re: {answered[1]}" if answered else _subject(chance)
        header = _header(chance, message_id, subject, date, answered[0] if answered else "")
        threads = [*threads[-50:], (message_id, subject.removeprefix("Re: "))]
        body = _body(chance, each)
        flags = frozenset(flag for flag in FLAGS if chance.random() < 0.3)
        yield Sample((header + body).replace(b"\n", b"\r\n"), flags, date)


def _subject(chance: random.Random) -> str:
    words = [chance.choice(WORDS) for _ in range(chance.randint(2, 6))]
    if chance.random() < 0.3:
        words.append(chance.choice(ACCENTED))
    return " ".join(words)


def _header(
    chance: random.Random, message_id: str, subject: str, date: datetime, parent: str
) -> bytes:
    sender, recipient = chance.sample(NAMES, 2)
    lines = [
        f"Received: from mx{chance.randrange(9)}.example.net by mail.example.org; {date:%c}",
        f"From: {_word(sender)} <{_local(sender)}@example.net>",
        f"To: {_word(recipient)} <{_local(recipient)}@example.org>",
        f"Subject: {_word(subject)}",
        f"Date: {date:%a, %d %b %Y %H:%M:%S} +0000",
        f"Message-ID: {message_id}",
    ]
    if parent:
        lines += [f"In-Reply-To: {parent}", f"References: {parent}"]
    return "".join(f"{line}\n" for line in lines).encode()


def _local(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isascii() and sign.isalpha()) or "someone"


def _word(text: str) -> str:
    if text.isascii():
        return text
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


def _text(chance: random.Random, size: int) -> str:
    lines: list[str] = []
    length = 0
    while length < size:
        line = " ".join(chance.choice(WORDS) for _ in range(chance.randint(4, 12)))
        if chance.random() < 0.1:
            line = chance.choice((f"From {line}", f">From {line}", f"> {line}", ".", "", "-- "))
        if chance.random() < 0.2:
            line += f" {chance.choice(ACCENTED)}"
        lines.append(line)
        length += len(line) + 1
    return "".join(f"{line}\n" for line in lines)


def _body(chance: random.Random, number: int) -> bytes:
    size = chance.choice((600, 1500, 4000, 12_000))
    kind = number % 5
    text = _text(chance, size)
    if kind == 0:
        plain = text.encode("ascii", "replace")
        return b"Content-Type: text/plain; charset=us-ascii\n\n" + plain
    if kind == 1:
        coded = quopri.encodestring(text.encode())
        head = (
            b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable"
        )
        return head + b"\n\n" + coded
    if kind == 2:
        head = b"Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\n"
        return head + text.encode("latin-1", "replace")
    if kind == 3:
        return _alternative(text, number)
    return _attached(chance, text, size, number)


def _alternative(text: str, number: int) -> bytes:
    boundary = b"=_alt_%d" % number
    html = "".join(f"<p>{line}</p>\n" for line in text.splitlines())
    return b"".join(
        (
            b'MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary="%s"\n\n' % boundary,
            b"--%s\nContent-Type: text/plain; charset=utf-8\n\n%s\n" % (boundary, text.encode()),
            b"--%s\nContent-Type: text/html; charset=utf-8\n\n%s\n" % (boundary, html.encode()),
            b"--%s--\n" % boundary,
        )
    )


def _attached(chance: random.Random, text: str, size: int, number: int) -> bytes:
    boundary = b"=_mix_%d" % number
    coded = base64.encodebytes(chance.randbytes(size))
    return b"".join(
        (
            b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="%s"\n\n' % boundary,
            b"--%s\nContent-Type: text/plain; charset=utf-8\n\n%s\n" % (boundary, text.encode()),
            b'--%s\nContent-Type: image/png; name="picture.png"\n' % boundary,
            b"Content-Transfer-Encoding: base64\nContent-Disposition: attachment\n\n" + coded,
            b"\n--%s--\n" % boundary,
        )
    )
