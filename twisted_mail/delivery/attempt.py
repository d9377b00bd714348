"""One attempt to put a message into accounts, which may not be its sender's first."""

from collections.abc import Collection, Mapping, Sequence

from twisted_mail.delivery.delivered_to import Addressed, by_fields
from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.delivery.partial_deliveries import NOBODY
from twisted_mail.delivery.quarantine import BorrowedBlob, quarantine
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError


class DeliveryAttempt:
    """A message and its accounts; owns the blob until ``end``.

    ``results`` has None for each account that has the message durably, else why it has not; ``new`` are
    those to which this attempt brought it.
    """

    def __init__(self, backend: DeliveryBackend, envelope: Envelope, message: Message) -> None:
        self._store = backend.store
        self._partial = backend.partial_deliveries
        self._envelope = envelope
        self._message = message
        self._had = NOBODY
        self.results: Mapping[str, MailError | None] = {}

    @property
    def new(self) -> list[str]:
        """Return the accounts that have the message by this attempt, in their order."""
        return [
            one for one, error in self.results.items() if error is None and one not in self._had
        ]

    async def deliver(self, addressed: Addressed) -> Mapping[str, MailError | None]:
        """Put the message into the inboxes of accounts, or into their mailboxes for junk.

        Those that got it by an earlier attempt get no other copy. Returns the results, in the order of
        the accounts.
        """
        if self._partial is not None and addressed:
            self._had = await self._partial.served(self._envelope, self._message.blob)
        missing = {one: names for one, names in addressed.items() if one not in self._had}
        copies = by_fields(missing, self._message.size)
        found: dict[str, MailError | None] = dict.fromkeys(self._had)
        try:
            for fields, accounts in copies.items():
                found |= await self._put_or_error(fields, accounts, is_all=len(copies) == 1)
        finally:
            self.results = {one: found[one] for one in addressed if one in found}
        return self.results

    async def _put_or_error(
        self, fields: bytes, accounts: Sequence[str], is_all: bool
    ) -> Mapping[str, MailError | None]:
        """Put one of several copies; an error that they all share is none of the other copies."""
        try:
            return await self._put(fields, accounts)
        except MailError as error:
            if is_all:
                raise
            return dict.fromkeys(accounts, error)

    async def _put(self, fields: bytes, accounts: Sequence[str]) -> Mapping[str, MailError | None]:
        prefix = return_path(self._envelope) + fields + self._message.prefix
        final = Message(BorrowedBlob(self._message.blob), prefix)
        if self._envelope.is_quarantined:
            return await quarantine(self._store, accounts, final)
        return await self._store.deliver(accounts, final)

    async def end(self, retried: Collection[str]) -> None:
        """Remember who has the message of those that the sender will try again; close the blob."""
        try:
            if self._partial is not None and (retried or self._had):
                done = [one for one, error in self.results.items() if error is None]
                await self._partial.settle(self._envelope, self._message.blob, done, retried)
        finally:
            self._message.blob.close()


def return_path(envelope: Envelope) -> bytes:
    """Return the Return-Path field that final delivery adds (RFC 5321 §4.4)."""
    return f"Return-Path: <{envelope.sender.text}>\r\n".encode()
