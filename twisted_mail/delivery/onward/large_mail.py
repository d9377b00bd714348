"""Mail that one host of a domain calls too large, for its others.

A host says in its reply to EHLO how much it takes (RFC 1870 §4), and nothing of what the others take.
So the message is not failed by the word of one, which may be set up wrongly, or lie. It fails if no host
that is reached takes it.
"""

from collections.abc import Mapping

from twisted_mail.delivery.onward.attempts import with_class
from twisted_mail.interfaces import Work
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import Transaction

TOO_LARGE = "5.3.4"

Refusal = tuple[Transaction, Mapping[int, Attempt]]


def is_too_large(attempts: Mapping[int, Attempt]) -> bool:
    """Return whether a message was not even offered, because of what its host says of sizes."""
    found = attempts.values()
    return bool(found) and all(
        one.outcome.enhanced == TOO_LARGE and not one.is_reply for one in found
    )


def size_of(transaction: Transaction) -> int:
    """Return the octets of a message as it leaves here."""
    message = transaction.message
    return len(transaction.fields) + len(message.prefix) + message.blob.size


class LargeMail:
    """Gives what was too large for one host to connections to others. What these say counts."""

    def __init__(self, work: Work, refusals: list[Refusal]) -> None:
        self._work = work
        self._waiting = list(refusals)
        self._refused: list[Refusal] = []

    @property
    def smallest(self) -> int:
        """Return the octets of the smallest message that no host has taken yet; 0 if there is none."""
        return min((size_of(one) for one, _ in [*self._waiting, *self._refused]), default=0)

    def next(self) -> Transaction | None:
        """Take the next transaction."""
        return self._waiting.pop(0)[0] if self._waiting else None

    async def wait(self, seconds: float) -> Transaction | None:
        """Return None: there is nothing to come."""
        return None

    def done(self, transaction: Transaction, attempts: Mapping[int, Attempt]) -> None:
        """Note how attempts ended, but for what is too large for this host, too."""
        if is_too_large(attempts):
            self._refused.append((transaction, attempts))
        else:
            found = {number: with_class(attempt) for number, attempt in attempts.items()}
            self._work.done(transaction, found)

    def turn(self) -> bool:
        """Offer what this host did not take to the next one; return whether there is anything."""
        self._waiting, self._refused = [*self._waiting, *self._refused], []
        return bool(self._waiting)

    def end(self) -> None:
        """Let the refusals stand."""
        self.turn()
        for transaction, attempts in self._waiting:
            self._work.done(transaction, attempts)
        self._waiting = []
