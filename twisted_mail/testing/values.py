"""What a test puts into mailboxes, and finds there."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from twisted_mail.interfaces import Account
from twisted_mail.mail.line_ends import with_crlf
from twisted_mail.mail.mailbox.entry import MessageRange
from twisted_mail.testing.doubles import finish

Content = bytes | str | EmailMessage


def octets(content: Content) -> bytes:
    """Return a message as octets with CRLF line ends."""
    if isinstance(content, EmailMessage):
        return content.as_bytes(policy=policy.SMTP)
    data = content.encode() if isinstance(content, str) else content
    return with_crlf(data)


def parsed(data: bytes) -> EmailMessage:
    """Return octets as the standard library's message, with LF line ends as Python has them."""
    return message_from_bytes(data.replace(b"\r\n", b"\n"), policy=policy.default)


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
