"""One attempt to put a message into accounts, which may not be its sender's first."""

from collections.abc import Collection, Mapping, Sequence

from twisted_mail.delivery.delivered_to import by_fields
from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.delivery.partial_deliveries import NOBODY
from twisted_mail.delivery.quarantine import JUNK, is_missing_mailbox, quarantine
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError
from twisted_mail.mail.route import Routes

INBOX = "INBOX"  # RFC 3501 §5.1


class DeliveryAttempt:
    """A message and its ``accounts``, in the order of their recipients; owns the blob until ``end``.

    ``results`` has None for each account that has the message durably, else why it has not; ``new`` are
    those to which this attempt brought it, by the mailbox it is in.
    """

    def __init__(self, backend: DeliveryBackend, envelope: Envelope, message: Message) -> None:
        self._backend = backend
        self._store = backend.store
        self._partial = backend.partial_deliveries
        self._envelope = envelope
        self._message = message
        self._had = NOBODY
        self._mailboxes: dict[str, str] = {}  # where it is not INBOX
        self.accounts: Sequence[str] = ()
        self.results: Mapping[str, MailError | None] = {}

    @property
    def new(self) -> Mapping[str, Sequence[str]]:
        """Return the mailboxes, and the accounts that have the message there by this attempt."""
        found: dict[str, list[str]] = {}
        place = JUNK if self._envelope.is_quarantined else INBOX
        for account, error in self.results.items():
            if error is None and account not in self._had:
                found.setdefault(self._mailboxes.get(account, place), []).append(account)
        return found

    async def deliver(self, routes: Routes) -> Mapping[str, MailError | None]:
        """Put the message into the inboxes of accounts, or mailboxes for junk or that details mean.

        Those that got it by an earlier attempt get no other copy. Returns the results, in the order of
        the accounts.
        """
        self.accounts = list(
            dict.fromkeys([one for route in routes.values() for one in route.accounts])
        )
        if self._partial is not None and self._partial.known and self.accounts:
            self._had = await self._partial.served(self._envelope, self._message.blob)
        missing = [one for one in self.accounts if one not in self._had]
        self._mailboxes = await self._detail_mailboxes(routes, missing)
        copies = self._copies(routes, missing)
        found: dict[str, MailError | None] = dict.fromkeys(self._had)
        try:
            # An error of the only copy is that of the attempt.
            put = self._put if len(copies) == 1 else self._put_or_error
            for fields, accounts in copies.items():
                found |= await put(fields, accounts)
        finally:
            self.results = {one: found[one] for one in self.accounts if one in found}
        return self.results

    def _copies(self, routes: Routes, accounts: Sequence[str]) -> Mapping[bytes, Sequence[str]]:
        """Return the accounts by the fields that their copies begin with."""
        names = {recipient.text for recipient in routes}
        if accounts and names.issuperset(accounts):  # all were addressed by their own names
            return {b"": accounts}
        return by_fields(routes, accounts, self._message.size)

    async def _detail_mailboxes(self, routes: Routes, accounts: Sequence[str]) -> dict[str, str]:
        """Return the mailboxes that details mean, where mail is put there; none for what is junk."""
        if self._envelope.is_quarantined or not self._backend.saves_to_detail_mailbox:
            return {}
        details = details_of(routes, accounts)
        return dict(await self._store.detail_mailboxes(details)) if details else {}

    async def _put_or_error(
        self, fields: bytes, accounts: Sequence[str]
    ) -> Mapping[str, MailError | None]:
        """Put one of several copies; an error that they all share is none of the other copies."""
        try:
            return await self._put(fields, accounts)
        except MailError as error:
            return dict.fromkeys(accounts, error)

    async def _put(self, fields: bytes, accounts: Sequence[str]) -> Mapping[str, MailError | None]:
        prefix = return_path(self._envelope) + fields + self._message.prefix
        final = Message(self._message.blob, prefix)
        if self._envelope.is_quarantined:
            return await quarantine(self._store, accounts, final)
        if not self._mailboxes:  # nearly all mail
            return await self._store.deliver(accounts, final)
        return await self._put_into_mailboxes(accounts, final)

    async def _put_into_mailboxes(
        self, accounts: Sequence[str], message: Message
    ) -> Mapping[str, MailError | None]:
        """Deliver; what a mailbox does not take any more goes to INBOX."""
        answers = dict(await self._store.deliver(accounts, message, self._mailboxes))
        gone = [one for one in self._mailboxes if is_missing_mailbox(answers.get(one))]
        for one in gone:
            del self._mailboxes[one]
        if gone:
            answers |= await self._put_into_inboxes(gone, message)
        return answers

    async def _put_into_inboxes(
        self, accounts: Sequence[str], message: Message
    ) -> Mapping[str, MailError | None]:
        """Deliver; an error that stops it is none of the other accounts of this copy."""
        try:
            return await self._store.deliver(accounts, message)
        except MailError as error:
            return dict.fromkeys(accounts, error)

    async def end(self, retried: Collection[str]) -> None:
        """Remember who has the message of those that the sender will try again; close the blob."""
        try:
            if self._partial is not None and (retried or self._had):
                done = [one for one, error in self.results.items() if error is None]
                await self._partial.settle(self._envelope, self._message.blob, done, retried)
        finally:
            self._message.blob.close()


def details_of(routes: Routes, accounts: Sequence[str]) -> dict[str, str]:
    """Return those accounts that were addressed by a detail each time, and the first detail of each."""
    found: dict[str, str] = {}
    for route in routes.values():
        details = dict(route.details)
        for account in route.accounts:
            detail = details.get(account, "")
            found[account] = detail and found.get(account, detail)
    return {account: found[account] for account in accounts if found[account]}


def return_path(envelope: Envelope) -> bytes:
    """Return the Return-Path field that final delivery adds (RFC 5321 §4.4)."""
    return f"Return-Path: <{envelope.sender.text}>\r\n".encode()
