"""Delivery with an answer for each recipient: nobody waits for another's trouble."""

from dataclasses import replace
from typing import Any

import pytest

from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.delivery.lmtp_delivery import LmtpDelivery
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.delivery.partial_deliveries import PartialDeliveries
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError, Outcome, Refused, Unavailable
from twisted_mail.testing.doubles import StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.testing.store import RecordingStore

ALICE, BOB, TEAM = "alice@example.org", "bob@example.org", "team@example.org"
TICKET, BOTH, LIST = "ticket@example.org", "both@example.org", "list@example.org"
FULL = Outcome(552, "5.2.2", "The mailbox is full")
BUSY = Outcome(452, "4.3.1", "The disk is full")


class NotingBlob(MemoryBlob):
    closed = 0

    def close(self) -> None:
        NotingBlob.closed += 1


class FakeWaiting:
    def __init__(self) -> None:
        self.refused: dict[str, MailError] = {}
        self.promise_trouble: Exception | None = None
        self.prepared: list[str] = []
        self.promised: list[str] = []
        self.withdrawn: list[str] = []

    async def prepare(self, envelope: Envelope, message: Message, errands: Any) -> list[Any]:
        (destination,) = errands
        name = getattr(destination, "program", None) or destination.list
        if name in self.refused:
            raise self.refused[name]
        self.prepared.append(envelope.id)
        return [name]

    async def commit(self, parcels: list[Any]) -> None:
        if self.promise_trouble is not None:
            raise self.promise_trouble
        self.promised += parcels

    async def rollback(self, parcels: list[Any]) -> None:
        self.withdrawn += parcels


class Delivery:
    def __init__(self) -> None:
        directory = FixedDirectory(
            {ALICE: "", BOB: ""},
            {
                TEAM: [parse(ALICE), parse(BOB)],
                "away@example.org": [parse("x@elsewhere.example")],
                BOTH: [parse(BOB)],
            },
            {TICKET: ["ticket"], BOTH: ["ticket2"]},
            {LIST: [parse(ALICE)]},
        )
        self.store, self.waiting = RecordingStore(), FakeWaiting()
        self.journal = ListJournal()
        store: Any = self.store
        waiting: Any = self.waiting
        router = LocalRouter(directory)
        self.each = LmtpDelivery(
            DeliveryBackend(
                router,
                store,
                self.journal,
                StillClock(),
                waiting,
                partial_deliveries=PartialDeliveries(StillClock()),
            )
        )

    def to(self, *recipients: str) -> list[Outcome | None]:
        addresses = tuple(parse(one) for one in recipients)
        NotingBlob.closed = 0
        try:
            answers = finish(
                self.each.deliver_each(
                    Envelope("id1", parse("s@client.example"), addresses, client_host="192.0.2.1"),
                    Message(NotingBlob(b"body\r\n"), b"Received: x\r\n"),
                )
            )
        finally:
            assert NotingBlob.closed == 1
        return [answers[one] for one in addresses]


def test_all_are_served_by_one_delivery() -> None:
    delivery = Delivery()
    assert delivery.to(ALICE, BOB, TEAM, ALICE) == [None] * 4
    message = b"Return-Path: <s@client.example>\r\nReceived: x\r\nbody\r\n"
    assert delivery.store.deliveries == [([ALICE, BOB], message)]


def test_who_cannot_be_served_keeps_nobody_waiting() -> None:
    delivery = Delivery()
    delivery.store.failures = {BOB: Refused(FULL)}
    nobody, away = "nobody@example.org", "away@example.org"
    served, full, team, unknown, elsewhere = delivery.to(ALICE, BOB, TEAM, nobody, away)
    assert (served, full, team) == (None, FULL, FULL)
    assert unknown is not None
    assert (unknown.code, unknown.enhanced) == (550, "5.1.1")
    assert elsewhere is not None
    assert (elsewhere.code, elsewhere.enhanced) == (550, "5.1.2")


def test_what_somebody_gets_is_received_before_it_is_delivered() -> None:
    delivery = Delivery()
    delivery.store.failures = {BOB: Refused(FULL)}
    delivery.to(BOB, ALICE)
    received, delivered = delivery.journal.events
    assert (received[0], received[1][1]) == ("received", len(b"body\r\n"))
    assert delivered == ("delivered", ("id1", [ALICE], "INBOX"))


def test_what_only_a_program_gets_is_received() -> None:
    delivery = Delivery()
    delivery.to(TICKET)
    assert [event for event, _ in delivery.journal.events] == ["received"]


def test_a_message_that_nobody_got_was_not_received() -> None:
    delivery = Delivery()
    delivery.store.failures = {BOB: Refused(FULL)}
    delivery.to(BOB, "nobody@example.org")
    assert delivery.journal.events == []


def test_trouble_that_passes_is_told_before_what_stays() -> None:
    delivery = Delivery()
    delivery.store.failures = {ALICE: Refused(FULL), BOB: Unavailable(BUSY)}
    assert delivery.to(TEAM) == [BUSY]


def test_a_store_that_fails_fails_those_who_needed_it() -> None:
    delivery = Delivery()
    delivery.store.exception = Unavailable(BUSY)
    assert delivery.to(ALICE, TICKET) == [BUSY, BUSY]
    assert delivery.waiting.withdrawn == ["ticket"]


def test_a_bug_withdraws_what_was_prepared() -> None:
    delivery = Delivery()
    delivery.store.exception = RuntimeError("secret inside")
    with pytest.raises(RuntimeError):
        delivery.to(ALICE, TICKET)
    assert delivery.waiting.withdrawn == ["ticket"]


def test_parcels_are_promised_for_those_who_are_served() -> None:
    delivery = Delivery()
    delivery.store.failures = {BOB: Unavailable(BUSY)}
    assert delivery.to(TICKET, LIST, BOTH) == [None, None, BUSY]
    assert delivery.waiting.prepared == ["id1-1", "id1-2", "id1-3"]
    assert delivery.waiting.promised == ["ticket", LIST]
    assert delivery.waiting.withdrawn == ["ticket2"]


def test_a_parcel_that_is_refused_is_one_recipients_affair() -> None:
    delivery = Delivery()
    delivery.waiting.refused = {LIST: Refused("Only members may post"), "ticket2": Refused(FULL)}
    listed, both, ticket = delivery.to(LIST, BOTH, TICKET)
    assert listed is not None
    assert listed.text == "Only members may post"
    assert (both, ticket) == (FULL, None)
    assert delivery.store.deliveries == []
    assert delivery.waiting.promised == ["ticket"]


def test_a_promise_that_fails_is_told() -> None:
    delivery = Delivery()
    delivery.waiting.promise_trouble = Unavailable(BUSY)
    assert delivery.to(ALICE, TICKET) == [None, BUSY]


def test_without_anybody_who_waits_there_are_no_programs() -> None:
    delivery = Delivery()
    delivery.each._backend = replace(delivery.each._backend, job_queue=None)
    answers = delivery.to(ALICE, TICKET)
    assert answers[0] is None
    assert answers[1] is not None
    assert answers[1].enhanced == "4.3.5"


def test_who_has_the_message_is_logged_even_if_a_bug_keeps_its_jobs_back() -> None:
    delivery = Delivery()
    delivery.waiting.promise_trouble = RuntimeError("a bug")
    with pytest.raises(RuntimeError):
        delivery.to(ALICE, TICKET)
    assert delivery.journal.events == [("delivered", ("id1", [ALICE], "INBOX"))]


def test_an_alias_that_is_tried_again_gives_nobody_a_second_copy() -> None:
    delivery = Delivery()
    delivery.store.failures[ALICE] = Unavailable(BUSY)
    for _ in range(3):
        assert delivery.to(TEAM) == [BUSY]
    assert delivery.store.delivered == [BOB]
    delivery.store.failures.clear()
    assert delivery.to(TEAM) == [None]
    assert delivery.store.delivered == [BOB, ALICE]


def test_who_is_served_by_lmtp_gets_a_message_again_when_it_is_sent_again() -> None:
    delivery = Delivery()
    delivery.store.failures[ALICE] = Unavailable(BUSY)
    for _ in range(2):
        assert delivery.to(BOB, ALICE) == [None, BUSY]
    assert delivery.store.delivered == [BOB, BOB]
