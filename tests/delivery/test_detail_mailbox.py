"""Mail with a detail goes to the mailbox of that name, where the configuration says so."""

from typing import Any

import pytest

from twisted_mail.delivery.acceptance import MailAcceptance
from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.delivery.lmtp_acceptance import LmtpAcceptance
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.delivery.partial_deliveries import PartialDeliveries
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.store.memory.account import MemoryStore
from twisted_mail.testing.doubles import StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal

ALICE, BOB = "alice@example.org", "bob@example.org"
BUSY = Unavailable(Outcome(452, "4.3.1", "The disk is full"))


class ForgetfulStore(MemoryStore):
    """A store with mailboxes that are gone a moment after they were found."""

    gone = ""
    fails_inboxes = False

    async def deliver(self, names: Any, message: Message, mailboxes: Any = None) -> Any:
        if mailboxes and self.gone:
            await (await self.account(ALICE)).delete(self.gone)
            self.gone = ""
        if not mailboxes and self.fails_inboxes:
            raise BUSY
        return await super().deliver(names, message, mailboxes)


class Delivery:
    def __init__(self, is_on: bool = True) -> None:
        aliases = {
            "team@example.org": [parse(ALICE), parse(BOB)],
            "work@example.org": [parse("alice+lists@example.org")],
            '""@catch.example': [parse(ALICE)],
        }
        self.store = ForgetfulStore(StillClock(), ItemRenderer())
        self.journal = ListJournal()
        self.backend = DeliveryBackend(
            LocalRouter(FixedDirectory({ALICE: "", BOB: ""}, aliases)),
            self.store,
            self.journal,
            StillClock(),
            partial_deliveries=PartialDeliveries(StillClock()),
            saves_to_detail_mailbox=is_on,
        )
        finish(finish(self.store.account(ALICE)).create("lists"))
        finish(finish(self.store.account(ALICE)).create("Other"))

    def envelope(self, *recipients: str, is_quarantined: bool = False) -> Envelope:
        sender = parse("s@client.example")
        addresses = tuple(parse(one) for one in recipients)
        return Envelope("id1", sender, addresses, is_quarantined=is_quarantined)

    def accept(self, *recipients: str, **more: bool) -> list[tuple[Any, ...]]:
        """Deliver, and return what was logged."""
        before = len(self.journal.of("delivered"))
        message = Message(MemoryBlob(b"body\r\n"))
        finish(MailAcceptance(self.backend).accept(self.envelope(*recipients, **more), message))
        return [event[1:] for event in self.journal.of("delivered")[before:]]

    def each(self, *recipients: str) -> list[Outcome | None]:
        message = Message(MemoryBlob(b"body\r\n"))
        answers = finish(
            LmtpAcceptance(self.backend).deliver_each(self.envelope(*recipients), message)
        )
        return list(answers.values())

    def number(self, account: str, mailbox: str) -> int:
        return finish(finish(self.store.account(account)).status(mailbox)).messages


def test_mail_with_a_detail_goes_to_the_mailbox_and_the_log_names_it() -> None:
    delivery = Delivery()
    assert delivery.accept("alice+lists@example.org") == [([ALICE], "lists")]
    assert delivery.accept("Alice+LISTS@example.org") == [([ALICE], "lists")]
    assert (delivery.number(ALICE, "lists"), delivery.number(ALICE, "INBOX")) == (2, 0)


def test_by_default_a_detail_is_for_programs_alone() -> None:
    assert Delivery(is_on=False).accept("alice+lists@example.org") == [([ALICE], "INBOX")]


@pytest.mark.parametrize("detail", ["none", "Sent", "inbox", "", "lists+more", "a/b/c"])
def test_mail_without_such_a_mailbox_goes_to_inbox(detail: str) -> None:
    assert Delivery().accept(f"alice+{detail}@example.org") == [([ALICE], "INBOX")]


def test_an_alias_passes_the_detail_on_or_has_one_of_its_own() -> None:
    delivery = Delivery()
    both = [([ALICE], "lists"), ([BOB], "INBOX")]
    assert delivery.accept("team+lists@example.org") == both
    assert delivery.accept("work@example.org") == [([ALICE], "lists")]
    assert delivery.accept("any+lists@catch.example") == [([ALICE], "INBOX")]


def test_a_copy_for_the_account_itself_too_is_in_inbox() -> None:
    delivery = Delivery()
    assert delivery.accept("alice+lists@example.org", ALICE) == [([ALICE], "INBOX")]
    two = ("alice+other@example.org", "alice+lists@example.org")
    assert delivery.accept(*two) == [([ALICE], "Other")]


def test_junk_stays_with_junk() -> None:
    assert Delivery().accept("alice+lists@example.org", is_quarantined=True) == [
        ([ALICE], "\\Junk")
    ]


def test_a_mailbox_that_is_gone_by_then_loses_nothing() -> None:
    delivery = Delivery()
    delivery.store.gone = "lists"
    wanted = [([ALICE, BOB], "INBOX")]
    assert delivery.accept("team+lists@example.org") == wanted
    assert delivery.number(ALICE, "INBOX") == delivery.number(BOB, "INBOX") == 1


def test_what_then_stops_the_inbox_stops_no_other_account() -> None:
    delivery = Delivery()
    finish(finish(delivery.store.account(BOB)).create("lists"))
    delivery.store.gone, delivery.store.fails_inboxes = "lists", True
    assert delivery.each("team+lists@example.org") == [BUSY.outcome]
    assert delivery.number(BOB, "lists") == 1
    delivery.store.fails_inboxes = False
    assert delivery.each("team+lists@example.org") == [None]
    assert (delivery.number(ALICE, "INBOX"), delivery.number(BOB, "lists")) == (1, 1)


def test_lmtp_delivers_into_mailboxes_too() -> None:
    delivery = Delivery()
    assert delivery.each("alice+lists@example.org", BOB) == [None, None]
    assert [event[1:] for event in delivery.journal.of("delivered")] == [
        ([ALICE], "lists"),
        ([BOB], "INBOX"),
    ]
