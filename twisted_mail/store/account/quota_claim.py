"""Room for what sessions append and copy, where another process keeps account of quotas.

In that process the account's lane sees which deliveries are under way, and deliveries see what the lane
claims (``store.quota``). Elsewhere neither sees the other: a session reserves room as a delivery does.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from twisted_mail.mail.outcome import MailError
from twisted_mail.store.quota import QuotaLedger, Usage
from twisted_mail.store.reservations import Reserver


@dataclass(frozen=True, slots=True)
class QuotaClaim:
    """How sessions of one account get room; without a ``reserver`` the account's lane does it alone."""

    name: str
    ledger: QuotaLedger
    reserver: Reserver | None = None

    @property
    def is_remote(self) -> bool:
        """Return whether another process is to be asked for room."""
        return self.reserver is not None and self.ledger.quota.is_set

    @asynccontextmanager
    async def hold(self, size: Usage) -> AsyncIterator[None]:
        """Hold room while messages are written. Raises Refused, or Unavailable, with OVERQUOTA.

        However that ends, the messages count as written until the account is counted again.
        """
        if self.reserver is None or not self.ledger.quota.is_set:
            yield
            return
        taken = (await self.reserver.take((self.name,), size.octets, size.messages))[self.name]
        if isinstance(taken, MailError):
            raise taken
        try:
            yield
        finally:
            if taken is not None:
                taken.end(is_delivered=True)
