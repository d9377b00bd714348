"""A message at its end, as the steps of its arrival see it."""

from dataclasses import dataclass

from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.verdict import ACCEPT, Verdict
from twisted_mail.smtp.arrival.incoming_message import IncomingMessage
from twisted_mail.smtp.session import SmtpSession
from twisted_mail.smtp.transaction import Transaction


@dataclass(slots=True)
class Arrival:
    """What is known of a message between its last octet and the reply; each step adds to it.

    ``session`` and ``transaction`` are what the client said. ``header`` is the message's own, as far as
    ``incoming_message`` looks at it. ``message`` is there once it is spooled; the arrival owns its blob
    until a step hands it on with ``take_message``. ``verdict`` is what the filters decided. A step that
    sets ``outcome`` ends the arrival: it is what the client is answered.
    """

    session: SmtpSession
    transaction: Transaction
    incoming: IncomingMessage
    envelope: Envelope
    header: bytes
    message: Message | None = None
    verdict: Verdict = ACCEPT
    outcome: Outcome | None = None

    @property
    def spooled(self) -> Message:
        """Return the message, for steps after ``spool``."""
        assert self.message is not None, "this step comes after the message is spooled"
        return self.message

    def take_message(self) -> Message:
        """Return the message; whoever takes it closes its blob."""
        message = self.spooled
        self.message = None
        return message

    @property
    def success(self) -> Outcome:
        """Return what is answered when nothing stands in the way."""
        return Outcome(250, "2.0.0", f"Ok: queued as {self.envelope.id}")

    def close(self) -> None:
        """Close the blob of a message that was not handed on."""
        if self.message is not None:
            self.message.blob.close()
            self.message = None
