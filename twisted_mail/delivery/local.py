"""Delivery to the accounts here: the queue of a server that sends nothing on."""

from collections.abc import Mapping, Sequence

from twisted_mail.delivery.quarantine import quarantine
from twisted_mail.interfaces import Journal, Router, Store
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError, Outcome, Refused, Unavailable
from twisted_mail.mail.route import Here, NoRoute


class LocalDelivery:
    """Puts messages into inboxes at once, or where junk lies. Fulfils ``interfaces.Queue``.

    A message is taken when every account has it. When one does not, the sender keeps the message and
    sends it again, and accounts that have it already get it twice: better twice than not at all.
    """

    # What is never sent on needs no TLS on the way; reports need somebody who sends them.
    promises = frozenset({"REQUIRETLS"})

    def __init__(self, router: Router, store: Store, journal: Journal) -> None:
        self._router = router
        self._store = store
        self._journal = journal

    async def accept(self, envelope: Envelope, message: Message) -> None:
        """Deliver to every recipient. Raises Refused or Unavailable; closes the message's blob."""
        try:
            accounts = await self._accounts(envelope)
        except BaseException:
            message.blob.close()
            raise
        final = Message(message.blob, return_path(envelope) + message.prefix)
        if envelope.is_quarantined:
            results = await quarantine(self._store, accounts, final)
        else:
            results = await self._store.deliver(accounts, final)
        done = [account for account in accounts if results[account] is None]
        if done:
            self._journal.delivered(envelope.id, done)
        _raise_failures(results)

    async def room(self, accounts: Sequence[str], size: int) -> Outcome | None:
        """Return why none of the accounts has room for so many octets, or None."""
        answers = (await self._store.room(accounts, size)).values()
        errors = [error for error in answers if error is not None]
        if not errors or len(errors) < len(answers):
            return None
        return (next((one for one in errors if one.outcome.is_temporary), errors[0])).outcome

    async def _accounts(self, envelope: Envelope) -> list[str]:
        """Return the accounts that get a copy, each once."""
        accounts: dict[str, None] = {}
        for recipient in envelope.recipients:
            route = await self._router.route(recipient)
            if isinstance(route, NoRoute):
                raise _as_error(route.outcome)
            if not isinstance(route, Here):
                raise Refused(Outcome(550, "5.1.2", "Mail for other domains is not sent yet"))
            accounts.update(dict.fromkeys(route.accounts))
        return list(accounts)


def return_path(envelope: Envelope) -> bytes:
    """Return the Return-Path field that final delivery adds (RFC 5321 §4.4)."""
    return f"Return-Path: <{envelope.sender}>\r\n".encode()


def _raise_failures(results: Mapping[str, MailError | None]) -> None:
    """Raise when an account did not get its copy: for good only if no later attempt can help."""
    errors = [error for error in results.values() if error is not None]
    if not errors:
        return
    temporary = [error for error in errors if error.outcome.is_temporary]
    worst = (temporary or errors)[0]
    if len(errors) == len(results):
        raise _as_error(worst.outcome)
    text = f"Not delivered to every recipient: {worst.outcome.text}"
    raise _as_error(Outcome(worst.outcome.code, worst.outcome.enhanced, text))


def _as_error(outcome: Outcome) -> MailError:
    return Unavailable(outcome) if outcome.is_temporary else Refused(outcome)
