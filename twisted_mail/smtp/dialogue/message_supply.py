"""Where a dialogue gets messages from."""

from collections.abc import Mapping
from typing import Protocol

from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import Transaction


class MessageSupply(Protocol):
    """What is to be handed on over one connection; ``interfaces.Work`` is one."""

    def next(self) -> Transaction | None:
        """Take the next transaction; None where there is none now.

        Asked before the one before has ended, so that its envelope leaves behind the other's content. One
        that was taken and is in no ``done`` when the connection has ended is as it was.
        """

    async def wait(self, seconds: float) -> Transaction | None:
        """Take the next transaction, and wait for one for so long at most."""

    def done(self, transaction: Transaction, attempts: Mapping[int, Attempt]) -> None:
        """Note how it ended for some of the recipients, by their numbers."""
