"""Notices: mail that the server itself writes, to list members and to senders of lost mail.

All have the null sender and are marked as written by a program, so that no program answers them
(RFC 3834 §5). Text that is not ASCII is written as quoted-printable.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from quopri import encodestring

from twisted_mail.mail.address import Address
from twisted_mail.mail.dates import format_mail_date

MAX_SUBJECT = 200  # characters


@dataclass(frozen=True, slots=True)
class Notice:
    """One message that the server writes.

    ``sender`` is the address in the From field. ``content`` is a MIME entity: its own fields, an empty
    line, its body, all with CRLF (see ``text_content``). ``auto_submitted`` is a value of RFC 3834 §5.
    """

    sender: Address
    recipient: Address
    subject: str
    content: bytes
    auto_submitted: str = "auto-generated"


def compose(notice: Notice, now: float, message_id: str) -> bytes:
    """Return a notice as a whole message, dated ``now`` in seconds since 1970."""
    lines = [
        f"From: <{notice.sender}>",
        f"To: <{notice.recipient}>",
        f"Subject: {encoded_subject(notice.subject)}",
        f"Date: {format_date(now)}",
        f"Message-ID: <{message_id}>",
        f"Auto-Submitted: {notice.auto_submitted}",
        "MIME-Version: 1.0",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode() + notice.content


def text_content(text: str) -> bytes:
    """Return a text with LF line ends as a MIME entity of the type text/plain."""
    body = encodestring(text.encode("utf-8", "replace")).replace(b"\n", b"\r\n")
    fields = (
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    )
    return fields.encode() + b"\r\n" + body


def format_date(seconds: float) -> str:
    """Return seconds since 1970 as header fields have them."""
    return format_mail_date(datetime.fromtimestamp(int(seconds), UTC))


def encoded_subject(text: str) -> str:
    """Return a subject fit for a header, whatever characters it has."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)[:MAX_SUBJECT]
    if plain.isascii():
        return plain
    return Header(plain, "utf-8", header_name="Subject").encode(linesep="\r\n")
