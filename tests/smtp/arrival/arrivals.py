"""Messages at their end, without a connection."""

from typing import Any

from tests.smtp.fakes import HELLO, LOGIN, RCPT, SmtpFixture, lines
from twisted_mail.interfaces import Peer
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import MailParameters
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.route import LocalRoute
from twisted_mail.smtp.arrival.arrival import Arrival
from twisted_mail.smtp.arrival.incoming_message import FieldNames, IncomingMessage
from twisted_mail.smtp.arrival.steps import envelope_of
from twisted_mail.smtp.session import SmtpSession
from twisted_mail.smtp.settings import Settings, SubmissionSettings
from twisted_mail.smtp.transaction import Transaction
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.wire import FakeBlobWriter, ScriptedWire

ALICE = "alice@example.org"


class NotingBlob(MemoryBlob):
    closed = 0

    def close(self) -> None:
        NotingBlob.closed += 1


def arrival(
    header: bytes = b"Subject: x\r\n",
    smtp: SmtpFixture | None = None,
    transaction_type: type[Transaction] = Transaction,
    **settings: Any,
) -> Arrival:
    """Return a message at its end, of which nothing is known yet but what the client said."""
    smtp, wanted = smtp or SmtpFixture(), Settings(**settings)
    session = SmtpSession(ScriptedWire([]), wanted, smtp.doors(wanted), transaction_type)
    session.hello, session.is_extended = "client.example", True
    session.begin_transaction(parse("a@client.example"), MailParameters())
    transaction = session.transaction
    assert transaction is not None
    transaction.add_recipient(parse("alice@example.org"), LocalRoute(("alice@example.org",)))
    incoming = IncomingMessage(FakeBlobWriter(), 1000)
    finish(incoming.take(header + b"\r\nwords\r\n"))
    peer = Peer("192.0.2.1", 54321)
    envelope = envelope_of(transaction, "", peer.host)
    names = FieldNames(header)
    return Arrival(session, transaction, incoming, peer, None, envelope, header, names)


def spooled(**more: Any) -> Arrival:
    """Return one whose octets are in one place."""
    whole = arrival(**more)
    NotingBlob.closed = 0
    whole.message = Message(NotingBlob(b"Subject: x\r\n\r\nwords\r\n"))
    return whole


def submit(
    *message: str | bytes, sender: str = ALICE, smtp: SmtpFixture | None = None, **settings: Any
) -> tuple[str, SmtpFixture]:
    """Return what is said of a message, and the fixture that has it."""
    smtp = smtp or SmtpFixture()
    talk = lines(HELLO, LOGIN, f"MAIL FROM:<{sender}>", RCPT, "DATA", *message, ".")
    said = smtp.hold(ScriptedWire([talk]), SubmissionSettings(**settings))
    return said[-1], smtp
