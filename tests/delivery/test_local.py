from typing import Any

import pytest

from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.delivery.lmtp_delivery import LmtpDelivery
from twisted_mail.delivery.local import LocalDelivery
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.delivery.partial_deliveries import PartialDeliveries
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.interfaces import Directory
from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError, Outcome, Refused, Unavailable
from twisted_mail.mail.route import KnownRoutes, LocalRoute, Route
from twisted_mail.store.memory.account import MemoryStore
from twisted_mail.testing.doubles import StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.testing.store import RecordingStore

ALICE, BOB = "alice@example.org", "bob@example.org"
FULL = Refused(Outcome(552, "5.2.2", "The mailbox is full"))
BUSY = Unavailable(Outcome(452, "4.3.1", "The disk is full"))


class NotingBlob(MemoryBlob):
    closed = 0

    def close(self) -> None:
        NotingBlob.closed += 1


class Delivery:
    def __init__(self, **failures: MailError) -> None:
        directory = FixedDirectory(
            {ALICE: "", BOB: ""}, {"team@example.org": [parse(ALICE), parse(BOB)]}
        )
        self.journal = ListJournal()
        self.store = RecordingStore(
            {f"{name}@example.org": error for name, error in failures.items()}
        )
        store: Any = self.store
        self.queue = LocalDelivery(
            DeliveryBackend(
                LocalRouter(directory),
                store,
                self.journal,
                StillClock(),
                partial_deliveries=PartialDeliveries(StillClock()),
            )
        )

    def accept(
        self, *recipients: str, sender: str = "s@client.example", client_host: str | None = None
    ) -> None:
        envelope = Envelope(
            "id1",
            parse(sender) if sender else NULL,
            tuple(parse(one) for one in recipients),
            client_host=client_host,
        )
        NotingBlob.closed = 0
        try:
            finish(
                self.queue.accept(envelope, Message(NotingBlob(b"body\r\n"), b"Received: x\r\n"))
            )
        finally:
            assert NotingBlob.closed == 1

    def refusal(self, *recipients: str) -> MailError:
        with pytest.raises(MailError) as caught:
            self.accept(*recipients)
        return caught.value


def test_a_message_is_delivered_with_its_return_path_in_front() -> None:
    delivery = Delivery()
    delivery.accept(ALICE)
    assert delivery.store.deliveries == [
        ([ALICE], b"Return-Path: <s@client.example>\r\nReceived: x\r\nbody\r\n")
    ]
    assert delivery.journal.events == [("delivered", ("id1", [ALICE], "INBOX"))]


def test_the_null_sender_is_an_empty_return_path() -> None:
    delivery = Delivery()
    delivery.accept(ALICE, sender="")
    assert delivery.store.deliveries[0][1].startswith(b"Return-Path: <>\r\n")


def test_every_account_gets_one_copy_in_one_delivery() -> None:
    delivery = Delivery()
    delivery.accept(BOB, "team@example.org", "Bob+x@example.org", ALICE)
    assert delivery.store.deliveries[0][0] == [BOB, ALICE]
    assert len(delivery.store.deliveries) == 1


def test_a_copy_says_for_which_alias_or_detail_it_came() -> None:
    delivery = Delivery()
    delivery.accept("Bob+x@example.org", ALICE)
    path = b"Return-Path: <s@client.example>\r\n"
    assert delivery.store.deliveries == [
        (
            [BOB],
            path + b"Delivered-To: Bob+x@example.org\r\nX-Original-To: Bob+x@example.org\r\n"
            b"Received: x\r\nbody\r\n",
        ),
        ([ALICE], path + b"Received: x\r\nbody\r\n"),
    ]
    assert delivery.journal.of("delivered") == [("id1", [BOB, ALICE], "INBOX")]


def test_what_stops_one_copy_stops_no_other() -> None:
    delivery = Delivery(alice=BUSY)
    assert isinstance(delivery.refusal(ALICE, "Bob+x@example.org"), Unavailable)
    assert delivery.store.delivered == [BOB]
    delivery.store.failures.clear()
    delivery.accept(ALICE, "Bob+x@example.org")
    assert delivery.store.delivered == [BOB, ALICE]


@pytest.mark.parametrize("error", [BUSY, RuntimeError("a bug")])
def test_a_copy_is_remembered_when_the_next_one_is_not_made_at_all(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = Delivery()
    deliver = delivery.store.deliver

    async def fail_for_alice(names: Any, message: Message) -> Any:
        if ALICE in names:
            raise error
        return await deliver(names, message)

    with monkeypatch.context() as patch:
        patch.setattr(delivery.store, "deliver", fail_for_alice)
        with pytest.raises(type(error)):
            delivery.accept("Bob+x@example.org", ALICE)
    delivery.accept("Bob+x@example.org", ALICE)
    assert delivery.store.delivered == [BOB, ALICE]


@pytest.mark.parametrize("recipient", ["nobody@example.org", "a@b.example"])
def test_recipients_that_are_not_here_are_refused_before_anybody_gets_mail(recipient: str) -> None:
    delivery = Delivery()
    assert isinstance(delivery.refusal(ALICE, recipient), Refused)
    assert not delivery.store.deliveries


def test_a_single_failure_is_told_as_it_is() -> None:
    assert Delivery(alice=FULL).refusal(ALICE).outcome == FULL.outcome
    assert Delivery(alice=BUSY).refusal(ALICE).outcome == BUSY.outcome
    assert isinstance(Delivery(alice=BUSY).refusal(ALICE), Unavailable)


def test_when_some_accounts_fail_for_now_the_sender_keeps_the_message() -> None:
    delivery = Delivery(alice=BUSY)
    error = delivery.refusal(ALICE, BOB)
    assert isinstance(error, Unavailable)
    assert error.outcome.text == "Not delivered to every recipient: The disk is full"
    assert delivery.journal.events == [("delivered", ("id1", [BOB], "INBOX"))]


def test_retries_bring_a_message_only_to_those_who_have_it_not() -> None:
    delivery = Delivery(alice=BUSY)
    for _ in range(5):
        assert isinstance(delivery.refusal(ALICE, BOB), Unavailable)
    assert delivery.store.delivered == [BOB]
    delivery.store.failures.clear()
    delivery.accept(ALICE, BOB)
    assert delivery.store.delivered == [BOB, ALICE]
    assert delivery.journal.of("delivered") == [("id1", [BOB], "INBOX"), ("id1", [ALICE], "INBOX")]


def test_a_message_that_all_have_comes_again_when_it_is_sent_again() -> None:
    delivery = Delivery(alice=BUSY)
    delivery.refusal(ALICE, BOB)
    delivery.store.failures.clear()
    delivery.accept(ALICE, BOB)
    delivery.accept(ALICE, BOB)
    assert {name: len(copies) for name, copies in delivery.store.copies.items()} == {
        ALICE: 2,
        BOB: 2,
    }


def test_a_message_that_failed_for_good_is_new_when_it_comes_again() -> None:
    delivery = Delivery(alice=FULL)
    for _ in range(2):
        assert isinstance(delivery.refusal(ALICE, BOB), Refused)
    assert delivery.store.delivered == [BOB, BOB]


def test_when_some_fail_for_good_no_retry_makes_copies_for_the_others() -> None:
    error = Delivery(alice=FULL).refusal(ALICE, BOB)
    assert isinstance(error, Refused)
    assert str(error.outcome.code) == "552"


@pytest.mark.parametrize("client_host", ["192.0.2.1", ""])
def test_what_a_client_sent_is_received_before_it_is_delivered(client_host: str) -> None:
    delivery = Delivery()
    delivery.accept(ALICE, BOB, client_host=client_host)
    received, delivered = delivery.journal.events
    assert (received[0], received[1][1]) == ("received", len(b"body\r\n"))
    assert delivered == ("delivered", ("id1", [ALICE, BOB], "INBOX"))


def test_what_was_written_here_is_not_received() -> None:
    delivery = Delivery()
    delivery.accept(ALICE)
    assert [event for event, _ in delivery.journal.events] == ["delivered"]


def test_what_was_not_accepted_is_not_received_though_some_may_have_it() -> None:
    delivery = Delivery(alice=BUSY)
    with pytest.raises(Unavailable):
        delivery.accept(ALICE, BOB, client_host="192.0.2.1")
    assert delivery.journal.events == [("delivered", ("id1", [BOB], "INBOX"))]


@pytest.mark.parametrize("error", [BUSY, RuntimeError("a bug")])
def test_who_has_the_message_is_logged_even_if_its_jobs_cannot_be_committed(
    error: Exception,
) -> None:
    class FailingQueue:
        async def prepare(self, *_: object) -> list[str]:
            return ["job"]

        async def commit(self, jobs: object) -> None:
            raise error

    directory = FixedDirectory({ALICE: ""}, programs={"ticket@example.org": ["ticket"]})
    store, job_queue, journal = RecordingStore(), FailingQueue(), ListJournal()
    doors: Any = (LocalRouter(directory), store, journal, StillClock(), job_queue)
    envelope = Envelope("id1", NULL, (parse(ALICE), parse("ticket@example.org")))
    with pytest.raises(type(error)):
        finish(LocalDelivery(DeliveryBackend(*doors)).accept(envelope, Message(MemoryBlob(b""))))
    assert journal.events == [("delivered", ("id1", [ALICE], "INBOX"))]


def test_a_failure_for_now_outweighs_one_for_good() -> None:
    assert isinstance(Delivery(alice=FULL, bob=BUSY).refusal(ALICE, BOB), Unavailable)


def check_quota(*accounts: str, **failures: MailError) -> Outcome | None:
    return finish(Delivery(**failures).queue.check_quota(accounts, 10))


def test_room_is_lacking_only_where_nobody_has_any() -> None:
    assert check_quota(ALICE) is None
    assert check_quota(ALICE, BOB, alice=FULL) is None
    assert check_quota(ALICE, alice=FULL) == FULL.outcome
    assert check_quota(ALICE, BOB, alice=FULL, bob=BUSY) == BUSY.outcome
    assert check_quota() is None


def test_quarantined_mail_goes_where_junk_lies() -> None:
    store = MemoryStore(StillClock(), ItemRenderer())
    router = LocalRouter(FixedDirectory({ALICE: ""}, {}))
    queue = LocalDelivery(DeliveryBackend(router, store, ListJournal(), StillClock()))
    envelope = Envelope("id1", NULL, (parse(ALICE),), is_quarantined=True)
    finish(queue.accept(envelope, Message(MemoryBlob(b"Subject: x\r\n\r\n"))))
    account = finish(store.account(ALICE))
    assert finish(account.status("Junk")).messages == 1
    assert finish(account.status("INBOX")).messages == 0


class CountingRouter(LocalRouter):
    """Notes whom it is asked about."""

    def __init__(self, directory: Directory) -> None:
        super().__init__(directory)
        self.asked: list[str] = []

    async def route(self, recipient: Address) -> Route:
        self.asked.append(str(recipient))
        return await super().route(recipient)


@pytest.mark.parametrize("is_each", [False, True], ids=["at once", "each"])
@pytest.mark.parametrize(
    ("is_current", "asked"), [(True, ["bob@example.org"]), (False, [ALICE, BOB])]
)
def test_routes_are_found_again_only_where_the_directory_has_changed(
    is_current: bool, asked: list[str], is_each: bool
) -> None:
    router, store = CountingRouter(FixedDirectory({ALICE: "", BOB: ""})), RecordingStore()
    backend = DeliveryBackend(router, store, ListJournal(), StillClock())  # type: ignore[arg-type]
    known = {parse(ALICE): LocalRoute((ALICE,))}
    envelope = Envelope(
        "id1",
        NULL,
        (parse(ALICE), parse(BOB)),  # a filter added bob after RCPT
        routes=KnownRoutes(router.version() if is_current else "of old", known),
    )
    message = Message(MemoryBlob(b"body\r\n"))
    if is_each:
        finish(LmtpDelivery(backend).deliver_each(envelope, message))
    else:
        finish(LocalDelivery(backend).accept(envelope, message))
    assert router.asked == asked
    assert [list(to) for to, _ in store.deliveries] == [[ALICE, BOB]]


def test_an_account_that_was_removed_since_rcpt_gets_nothing() -> None:
    router, store = LocalRouter(FixedDirectory({BOB: ""})), RecordingStore()
    backend = DeliveryBackend(router, store, ListJournal(), StillClock())  # type: ignore[arg-type]
    known = KnownRoutes("before it was removed", {parse(ALICE): LocalRoute((ALICE,))})
    envelope = Envelope("id1", NULL, (parse(ALICE),), routes=known)
    with pytest.raises(Refused):
        finish(LocalDelivery(backend).accept(envelope, Message(MemoryBlob(b"body\r\n"))))
    assert store.deliveries == []


def test_while_many_recipients_are_routed_others_have_their_turn() -> None:
    clock, store = StillClock(), RecordingStore()
    names = [f"u{number}@example.org" for number in range(100)]

    class SlowRouter(LocalRouter):
        async def route(self, recipient: Address) -> Route:
            clock.seconds += 0.005
            return await super().route(recipient)

    router = SlowRouter(FixedDirectory(dict.fromkeys(names, ""), {}))
    queue = LocalDelivery(DeliveryBackend(router, store, ListJournal(), clock))  # type: ignore[arg-type]
    envelope = Envelope("id1", NULL, tuple(parse(name) for name in names))
    finish(queue.accept(envelope, Message(MemoryBlob(b"body\r\n"))))
    assert [list(to) for to, _ in store.deliveries] == [names]
    assert 20 <= len(clock.slept) <= 25


class FakeElsewhere:
    """Another process, which takes whole messages."""

    def __init__(self) -> None:
        self.taken: list[tuple[Envelope, bytes]] = []

    async def accept(self, envelope: Envelope, message: Message) -> None:
        self.taken.append((envelope, b"".join(message.pieces())))
        message.blob.close()

    async def deliver_each(self, envelope: Envelope, message: Message) -> dict[Any, None]:
        await self.accept(envelope, message)
        return dict.fromkeys(envelope.recipients)


class Worker:
    """A process that leaves to another what needs more than putting files into inboxes."""

    def __init__(self) -> None:
        directory = FixedDirectory({ALICE: ""}, {}, {"tickets@example.org": ["ticket"]})
        self.store, self.handoff = RecordingStore(), FakeElsewhere()
        store: Any = self.store
        router = LocalRouter(directory)
        self.doors = DeliveryBackend(
            router, store, ListJournal(), StillClock(), job_queue=None, handoff=self.handoff
        )

    def deliver(self, *recipients: str, is_quarantined: bool = False) -> None:
        addresses = tuple(parse(one) for one in recipients)
        envelope = Envelope("id1", NULL, addresses, is_quarantined=is_quarantined)
        message = b"Received: x\r\n", b"body\r\n"
        for each in (False, True):
            NotingBlob.closed = 0
            whole = Message(NotingBlob(message[1]), message[0])
            if each:
                finish(LmtpDelivery(self.doors).deliver_each(envelope, whole))
            else:
                finish(LocalDelivery(self.doors).accept(envelope, whole))
            assert NotingBlob.closed >= 1


def test_a_worker_delivers_what_is_for_inboxes() -> None:
    worker = Worker()
    worker.deliver(ALICE)
    assert worker.handoff.taken == []
    assert len(worker.store.deliveries) == 2


@pytest.mark.parametrize(
    ("recipients", "is_quarantined"),
    [((ALICE, "tickets@example.org"), False), ((ALICE,), True)],
    ids=["for a program too", "quarantined"],
)
def test_a_worker_hands_everything_else_over_whole(
    recipients: tuple[str, ...], is_quarantined: bool
) -> None:
    worker = Worker()
    worker.deliver(*recipients, is_quarantined=is_quarantined)
    assert worker.store.deliveries == []
    for envelope, data in worker.handoff.taken:
        assert [str(one) for one in envelope.recipients] == [*recipients]
        assert data == b"Received: x\r\nbody\r\n"
    assert len(worker.handoff.taken) == 2
