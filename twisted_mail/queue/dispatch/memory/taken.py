"""What was taken out of the queue for an attempt, and the message that several of these share."""

from twisted_mail.mail.message import Message
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import OwedRecipient, Transaction


class LentMessage:
    """A message that was read for attempts, closed when the last user is through with it."""

    __slots__ = ("_users", "message")

    def __init__(self, message: Message) -> None:
        self.message = message
        self._users = 1

    def hold(self) -> "LentMessage":
        """Count one more user."""
        self._users += 1
        return self

    def release(self) -> None:
        """Count one user less."""
        self._users -= 1
        if not self._users:
            self.message.blob.close()


class TakenTransaction:
    """A transaction that was taken, with its recipients that have not ended yet, by number.

    A recipient that was served in part takes the place of the one that was read.
    """

    __slots__ = ("lent", "open", "transaction")

    def __init__(self, transaction: Transaction, lent: LentMessage) -> None:
        self.transaction = transaction
        self.lent = lent.hold()
        self.open: dict[int, OwedRecipient] = {each.number: each for each in transaction.recipients}

    @property
    def destination(self) -> Destination:
        """Return where it is brought."""
        return self.transaction.destination
