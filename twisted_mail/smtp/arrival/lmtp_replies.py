"""A reply for each recipient, where LMTP differs from SMTP (RFC 2033 §4.2, §4.3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from twisted_mail.mail.address import Address
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.route import LocalRoute, RemoteRoute
from twisted_mail.smtp import replies
from twisted_mail.smtp.arrival.arrival import NO_MESSAGE, Arrival
from twisted_mail.smtp.limits import RecentCounts
from twisted_mail.smtp.transaction import Transaction


@dataclass(slots=True)
class LmtpTransaction(Transaction):
    """A transaction whose message gets a reply for each RCPT that was accepted, repeated ones too.

    ``accepted`` has the recipients in the order of RCPT, ``outcomes`` what became of each; None is
    success.
    """

    accepted: list[Address] = field(default_factory=list)
    outcomes: Mapping[Address, Outcome | None] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Return how many recipients were accepted."""
        return len(self.accepted)

    @property
    def reply_count(self) -> int:
        """Return how many replies the message gets."""
        return len(self.accepted)

    def add_recipient(self, recipient: Address, route: LocalRoute | RemoteRoute) -> None:
        """Accept a recipient."""
        self.recipients[recipient] = route
        self.accepted.append(recipient)


async def accept_each(arrival: Arrival) -> None:
    """Deliver to each recipient; note what is answered of each that has no copy."""
    session, message = arrival.session, arrival.message
    arrival.message = NO_MESSAGE
    assert session.backend.delivery is not None, "LMTP needs the door of final delivery"
    outcomes = await session.backend.delivery.deliver_each(arrival.envelope, message)
    _transaction(arrival).outcomes = outcomes
    for recipient, outcome in outcomes.items():
        if outcome is not None:
            session.refuse_mail(outcome, with_reply=False, recipient=recipient)


def answer_each(arrival: Arrival) -> None:
    """Answer a message once for each RCPT that was accepted, in their order.

    The outcome of the message as a whole holds for those of whom nothing else is known.
    """
    session, transaction = arrival.session, _transaction(arrival)
    whole = arrival.outcome or replies.accepted(arrival.envelope.id)
    if whole.is_success:
        session.limits.recent = RecentCounts()
    else:
        session.refuse_mail(whole, with_reply=False)
    for recipient in transaction.accepted:
        outcome = transaction.outcomes.get(recipient) or whole
        named = replace(outcome, text=f"<{recipient}> {outcome.text}")
        session.wire.write(replies.encode(named))


def _transaction(arrival: Arrival) -> LmtpTransaction:
    assert isinstance(arrival.transaction, LmtpTransaction), "the loop of LMTP makes them"
    return arrival.transaction
