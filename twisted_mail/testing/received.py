"""The messages that a server took in, as values."""

import threading
from dataclasses import dataclass
from email.message import EmailMessage

from twisted_mail.mail.envelope import Envelope
from twisted_mail.testing.values import parsed


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


class ReceivedMessages:
    """All messages that a server took in. May be used in any thread."""

    def __init__(self) -> None:
        self._messages: list[ReceivedMessage] = []
        self._has_more = threading.Condition()

    def add(self, message: ReceivedMessage) -> None:
        """Add a message, and wake those that wait for it."""
        with self._has_more:
            self._messages.append(message)
            self._has_more.notify_all()

    def all(self) -> list[ReceivedMessage]:
        """Return the messages, the first one first."""
        with self._has_more:
            return list(self._messages)

    def wait(self, count: int, timeout: float) -> list[ReceivedMessage]:
        """Return the messages once ``count`` came. Raises TimeoutError after ``timeout`` seconds."""
        with self._has_more:
            if not self._has_more.wait_for(lambda: len(self._messages) >= count, timeout):
                raise TimeoutError(f"{len(self._messages)} of {count} messages came")
            return list(self._messages)
