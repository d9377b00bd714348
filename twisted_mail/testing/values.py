"""What a test finds in the server: messages that were taken in, and messages in mailboxes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from twisted_mail.interfaces import Account
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.mailbox.entry import MessageRange
from twisted_mail.testing.doubles import finish

Content = bytes | str | EmailMessage


def octets(content: Content) -> bytes:
    """Return a message as octets with CRLF line ends."""
    if isinstance(content, EmailMessage):
        return content.as_bytes(policy=policy.SMTP)
    data = content.encode() if isinstance(content, str) else content
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def parsed(data: bytes) -> EmailMessage:
    """Return octets as the standard library's message, with LF line ends as Python has them."""
    return message_from_bytes(data.replace(b"\r\n", b"\n"), policy=policy.default)


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message that the server took in, by SMTP, submission or LMTP.

    ``content`` is what the client sent, with CRLF line ends, and what submission completed; ``trace``
    is the header that the server put before it.
    """

    envelope: Envelope
    content: bytes
    trace: bytes

    @property
    def sender(self) -> str:
        """Return the address of MAIL FROM, empty for the null sender."""
        return str(self.envelope.sender)

    @property
    def recipients(self) -> list[str]:
        """Return the addresses of RCPT TO, in their order."""
        return [str(recipient) for recipient in self.envelope.recipients]

    def parsed(self) -> EmailMessage:
        """Return the content as the standard library's message."""
        return parsed(self.content)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    r"""A message in a mailbox: ``flags`` as IMAP writes them (``\Seen``), ``date`` aware."""

    uid: int
    flags: frozenset[str]
    date: datetime
    content: bytes

    def parsed(self) -> EmailMessage:
        """Return the content as the standard library's message."""
        return parsed(self.content)


def stored_messages(account: Account, name: str) -> list[StoredMessage]:
    """Return the messages of a mailbox in memory, in the order of their UIDs."""
    mailbox = finish(account.open(name))
    entries = list(mailbox.columns)
    contents = finish(mailbox.read([MessageRange(entry.uid) for entry in entries]))
    mailbox.close()
    return [
        StoredMessage(
            entry.uid, entry.flags, datetime.fromtimestamp(entry.date, UTC), content or b""
        )
        for entry, content in zip(entries, contents, strict=True)
    ]
