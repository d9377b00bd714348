"""Accepting and answering for each recipient apart, without a connection."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.smtp.arrival.arrivals import NotingBlob, spooled
from tests.smtp.fakes import SmtpFixture
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.envelope import Envelope, MailParameters
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.route import LocalRoute
from twisted_mail.smtp.arrival.arrival import NO_MESSAGE, Arrival
from twisted_mail.smtp.arrival.lmtp_replies import LmtpTransaction, accept_each, answer_each
from twisted_mail.smtp.arrival.steps import envelope_of
from twisted_mail.testing.doubles import finish

ALICE, BOB = parse("alice@example.org"), parse("bob@example.org")
BUSY = Outcome(452, "4.3.1", "The disk is full")


class FakeDelivery:
    """Delivers to everybody but those of whom it is known why not."""

    def __init__(self, **outcomes: Outcome) -> None:
        self.outcomes = outcomes

    async def deliver_each(
        self, envelope: Envelope, message: Message
    ) -> Mapping[Address, Outcome | None]:
        message.blob.close()
        return {one: self.outcomes.get(one.local) for one in envelope.recipients}


def arrived(smtp: SmtpFixture, **outcomes: Outcome) -> Arrival:
    """Return a message for alice and for bob, and for alice once more."""
    whole = spooled(smtp=smtp, transaction_type=LmtpTransaction)
    for recipient in (BOB, ALICE):
        whole.transaction.add_recipient(recipient, LocalRoute((str(recipient),)))
    whole.envelope = envelope_of(whole.transaction, "", "192.0.2.1")
    delivery: Any = FakeDelivery(**outcomes)
    whole.session.backend = replace(whole.session.backend, delivery=delivery)
    return whole


def answers(whole: Arrival) -> list[str]:
    wire: Any = whole.session.wire
    return [line[:25] for line in wire.written.decode().split("\r\n")[:-1]]


def test_a_repeated_recipient_is_one_recipient_and_has_two_replies() -> None:
    transaction = LmtpTransaction("id1", ALICE, MailParameters())
    for recipient in (ALICE, BOB, ALICE):
        transaction.add_recipient(recipient, LocalRoute((str(recipient),)))
    assert (transaction.count, transaction.reply_count) == (3, 3)
    assert envelope_of(transaction, "", "").recipients == (ALICE, BOB)


def test_each_recipient_has_the_outcome_of_its_own_delivery() -> None:
    smtp = SmtpFixture()
    whole = arrived(smtp, bob=BUSY)
    finish(accept_each(whole))
    assert (whole.message, NotingBlob.closed) == (NO_MESSAGE, 1)
    answer_each(whole)
    assert answers(whole) == [
        "250 2.0.0 <alice@example.",
        "452 4.3.1 <bob@example.or",
        "250 2.0.0 <alice@example.",
    ]
    ((_, _, _, reason),) = smtp.events("refused")
    assert "to=<bob@example.org> 452 4.3.1 The disk is full" in reason


def test_an_outcome_of_the_whole_is_that_of_each() -> None:
    smtp = SmtpFixture()
    whole = arrived(smtp)
    whole.outcome = BUSY
    answer_each(whole)
    assert [line[:3] for line in answers(whole)] == ["452"] * 3
    assert len(smtp.events("refused")) == 1


def test_a_message_that_was_accepted_forgives_errors_even_if_nobody_got_it() -> None:
    whole = arrived(SmtpFixture(), alice=BUSY, bob=BUSY)
    whole.session.limits.recent.errors = 5
    finish(accept_each(whole))
    answer_each(whole)
    assert whole.session.limits.recent.errors == 0
