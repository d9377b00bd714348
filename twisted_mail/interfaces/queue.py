"""What the acceptance of mail asks of lists, and what sends the server's own mail."""

from typing import Protocol

from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.notice import Notice
from twisted_mail.mail.route import ListTarget


class ListAdmission(Protocol):
    """Decides whether a mailing list takes a message."""

    async def admit(self, envelope: Envelope, target: ListTarget, header: bytes) -> str | None:
        """Return the empty text for a message that is taken, or why it is held; None to drop it.

        Raises Refused and Unavailable.
        """


class Mailer(Protocol):
    """Sends the mail that the server itself writes."""

    async def send(self, notice: Notice) -> bool:
        """Send a notice; return whether its recipient can be reached at all. Raises Unavailable."""
