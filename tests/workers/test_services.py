"""What a worker leaves to the main process comes out as if it had been done here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.logger import LogLevel, globalLogPublisher

from tests.net.bridged import Pair
from twisted_mail.auth.throttle import MAX_WAITING, MEMORY_SECONDS, LocalThrottle, network
from twisted_mail.delivery.acceptance import MailAcceptance
from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.delivery.lmtp_acceptance import LmtpAcceptance
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.interfaces import Peer, SmtpContext
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError, Outcome, Refused, Unavailable
from twisted_mail.mail.queued.job import OwedRecipient
from twisted_mail.mail.queued.target import AccountTarget
from twisted_mail.mail.route import KnownRoutes, LocalRoute
from twisted_mail.mail.verdict import Decision, FilterStage, Verdict
from twisted_mail.net.server.connection_count import (
    LocalConnectionCounter,
    SharedCountLayout,
    SharedCountMemory,
)
from twisted_mail.policy.limits.concurrency import ConcurrencyLimits, ConcurrencySettings
from twisted_mail.policy.limits.rates import RateLimit, RateLimits, RateSettings
from twisted_mail.store.memory.account import MemoryStore
from twisted_mail.store.reservations import end
from twisted_mail.store.settings import StoreSettings
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.workers.handed_mail import HANDOFF_PREFIX, INLINE, DeliveryService
from twisted_mail.workers.remote import RemoteSharedServices
from twisted_mail.workers.services import (
    FilterService,
    LogService,
    ReservationService,
)
from twisted_mail.workers.shared_services import (
    MainSharedServices,
    SharedServices,
    failing_accounts,
)

ALICE, BOB = "alice@example.org", "bob@example.org"
PEER = Peer("192.0.2.1", 1234)
ENVELOPE = Envelope("m1", parse("s@client.example"), (parse(ALICE), parse(BOB)))


COUNTS = SharedCountLayout(2, 1, b"key")


def shared(pair: Pair, main: SharedCountMemory | None = None) -> RemoteSharedServices:
    counts = SharedCountMemory(COUNTS, 1, main and main.fd)
    made = RemoteSharedServices(1, pair.near, counts)
    made.filter_numbers = (0,)
    return made


# ---------------------------------------------------------------- quotas


class Space:
    """Room for two messages in each account."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.ended: list[tuple[str, bool]] = []

    async def take(self, names: Iterable[str], size: int, messages: int = 1) -> Mapping[str, Any]:
        return {name: self._take(name) for name in names}

    def _take(self, name: str) -> Any:
        if self.taken.count(name) == 2:
            return Refused(Outcome(552, "5.2.2", "full"), "OVERQUOTA")
        self.taken.append(name)
        return Slot(self, name)


class Slot:
    def __init__(self, space: Space, name: str) -> None:
        self.space, self.name = space, name

    def end(self, is_delivered: bool) -> None:
        self.space.ended.append((self.name, is_delivered))


def test_room_is_taken_where_it_is_known() -> None:
    space = Space()
    service = ReservationService(space)
    pair = Pair({"reservations": service})
    reserver = shared(pair).reserver(StoreSettings(quota_messages=2))
    for _ in range(2):
        taken = pair.finish(reserver.take([ALICE, BOB, ALICE], 10))
        assert [*taken] == [ALICE, BOB]
    full = pair.finish(reserver.take([ALICE], 10))[ALICE]
    assert isinstance(full, MailError)
    assert full.outcome.code == 552
    end(taken, {ALICE: None, BOB: Unavailable("no")})
    pair.carry()
    assert space.ended == [(ALICE, True), (BOB, False)]
    service.close()
    assert space.ended[2:] == [(ALICE, True), (BOB, True)]  # of the delivery that nobody ended


def test_room_that_is_found_after_the_worker_has_ended_is_free_again() -> None:
    space = Space()
    service = ReservationService(space)
    taking = service.take([ALICE], 10)
    service.close()
    finish(taking)
    assert space.ended == [(ALICE, False)]


def test_without_quotas_nobody_is_asked() -> None:
    pair = Pair({})
    reserver = shared(pair).reserver(StoreSettings())
    [taken] = pair.begin(reserver.take([ALICE, BOB], 10))
    assert taken == {ALICE: None, BOB: None}


# ---------------------------------------------------------------- failed logins


def test_failed_logins_are_counted_for_all() -> None:
    clock, counts = StillClock(), SharedCountMemory(COUNTS, 0)
    pair = Pair({"throttle": MainSharedServices(counts).throttle(clock)})
    one, two = (shared(pair, counts).throttle(StillClock()) for _ in range(2))
    for remote in (one, two, one):
        remote.admit(network(PEER))
        pair.finish(remote.hold_back("alice", PEER, clock.seconds))
    assert clock.slept == [2.0, 4.0, 8.0]
    one.forgive("alice")
    pair.carry()
    pair.finish(two.hold_back("alice", Peer("198.51.100.1", 1), clock.seconds))
    assert clock.slept[-1] == 2.0


def test_a_login_after_no_failure_costs_no_call() -> None:
    clock, counts = StillClock(), SharedCountMemory(COUNTS, 0)
    throttle = LocalThrottle(clock, failing_accounts(counts))
    remote = shared(Pair({}), counts).throttle(StillClock())
    remote.forgive("alice")  # there is no such service
    finish(throttle.hold_back("bob", PEER, clock.seconds))
    remote.forgive("alice")
    clock.seconds += 2 * MEMORY_SECONDS
    finish(throttle.hold_back("carol", PEER, clock.seconds))  # bob is forgotten
    remote.forgive("bob")
    throttle.forgive("carol")
    remote.forgive("carol")
    assert remote._bridge.transport.value() == b""


def test_answers_that_are_held_back_are_bounded() -> None:
    pair = Pair({"throttle": object()})
    remote = shared(pair).throttle(StillClock())
    waiting = [pair.begin(remote.hold_back("alice", PEER, 0.0)) for _ in range(MAX_WAITING)]
    with pytest.raises(Unavailable):
        remote.admit(network(PEER))
    remote.admit("198.51.100.0/24")
    pair.carry()
    assert all(waiting)
    remote.admit(network(PEER))


def test_peers_of_this_host_are_not_counted() -> None:
    pair = Pair({"throttle": object()})
    remote = shared(pair).throttle(StillClock())
    for _ in range(MAX_WAITING):
        pair.begin(remote.hold_back("alice", Peer("127.0.0.1", 1), 0.0))
    remote.admit("")


# ---------------------------------------------------------------- delivery


class FakeQueue:
    """A queue, and the delivery for each recipient."""

    def __init__(self) -> None:
        self.taken: list[tuple[Envelope, bytes]] = []
        self.failed: list[OwedRecipient] = []
        self.error: MailError | None = None

    async def accept(self, envelope: Envelope, message: Message) -> None:
        data = b"".join(message.pieces())
        message.blob.close()
        if self.error is not None:
            raise self.error
        self.taken.append((envelope, data))

    async def deliver_each(
        self, envelope: Envelope, message: Message
    ) -> Mapping[Address, Outcome | None]:
        await self.accept(envelope, message)
        return {envelope.recipients[0]: None, envelope.recipients[1]: Outcome(550, "5.1.1", "no")}

    async def accept_failed(
        self, envelope: Envelope, message: Message, failed: Sequence[OwedRecipient]
    ) -> None:
        await self.accept(envelope, message)
        self.failed += failed


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue()


@pytest.fixture
def pair(queue: Any) -> Pair:
    return Pair({"delivery": DeliveryService(queue, queue, InlineBlocking())})


MESSAGE = b"Subject: x\r\n\r\nhello\r\n"
LARGE = b"Subject: x\r\n\r\n" + b"x" * INLINE


def test_a_message_is_handed_over_whole(pair: Pair, queue: FakeQueue, tmp_path: Path) -> None:
    handoff = shared(pair).handoff(tmp_path, InlineBlocking())
    message = Message(MemoryBlob(MESSAGE), b"Received: x\r\n")
    pair.finish(handoff.accept(ENVELOPE, message))
    assert queue.taken == [(ENVELOPE, b"Received: x\r\n" + MESSAGE)]
    assert list(tmp_path.iterdir()) == []


def test_a_large_message_goes_by_a_file_which_the_queue_may_keep(
    pair: Pair, queue: FakeQueue, tmp_path: Path
) -> None:
    names: list[str] = []
    accept = queue.accept

    async def noting(envelope: Envelope, message: Message) -> None:
        names.extend(path.name for path in tmp_path.iterdir())
        await accept(envelope, message)

    queue.accept = noting  # type: ignore[method-assign]
    handoff = shared(pair).handoff(tmp_path, InlineBlocking())
    pair.finish(handoff.accept(ENVELOPE, Message(MemoryBlob(LARGE), b"Received: x\r\n")))
    assert queue.taken == [(ENVELOPE, b"Received: x\r\n" + LARGE)]
    assert [name.startswith(HANDOFF_PREFIX) for name in names] == [True]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [MESSAGE, LARGE], ids=["small", "large"])
def test_accounts_that_failed_are_handed_over_with_the_message(
    pair: Pair, queue: FakeQueue, tmp_path: Path, data: bytes
) -> None:
    handoff = shared(pair).handoff(tmp_path, InlineBlocking())
    failed = OwedRecipient(1, AccountTarget(BOB, parse(BOB)))
    pair.finish(handoff.accept_failed(ENVELOPE, Message(MemoryBlob(data)), [failed]))
    assert (queue.taken, queue.failed) == ([(ENVELOPE, data)], [failed])
    assert list(tmp_path.iterdir()) == []


def test_routes_of_the_worker_stay_with_it(pair: Pair, queue: FakeQueue, tmp_path: Path) -> None:
    routes = KnownRoutes(1, {parse(ALICE): LocalRoute((ALICE,))})
    handoff = shared(pair).handoff(tmp_path, InlineBlocking())
    pair.finish(handoff.accept(replace(ENVELOPE, routes=routes), Message(MemoryBlob(MESSAGE))))
    ((envelope, _),) = queue.taken
    assert envelope.routes is None


def test_the_process_that_delivers_logs_the_receipt_before_the_delivery(tmp_path: Path) -> None:
    journal, store = ListJournal(), MemoryStore(StillClock(), ItemRenderer())
    router = LocalRouter(FixedDirectory({ALICE: "", BOB: ""}, {}))
    backend = DeliveryBackend(router, store, journal, StillClock())
    service = DeliveryService(MailAcceptance(backend), LmtpAcceptance(backend), InlineBlocking())
    for method in ("accept", "deliver_each"):
        pair = Pair({"delivery": service})
        handoff = shared(pair).handoff(tmp_path, InlineBlocking())
        envelope = replace(ENVELOPE, client_host="192.0.2.1")
        pair.finish(getattr(handoff, method)(envelope, Message(MemoryBlob(MESSAGE))))
        assert journal.events == [
            ("received", (envelope, len(MESSAGE))),
            ("delivered", ("m1", [ALICE, BOB], "INBOX")),
        ]
        journal.events.clear()


def test_each_recipient_has_an_answer(pair: Pair, tmp_path: Path) -> None:
    handoff = shared(pair).handoff(tmp_path, InlineBlocking())
    answers = pair.finish(handoff.deliver_each(ENVELOPE, Message(MemoryBlob(MESSAGE))))
    assert answers == {parse(ALICE): None, parse(BOB): Outcome(550, "5.1.1", "no")}


def test_a_refusal_comes_back_and_nothing_stays(
    pair: Pair, queue: FakeQueue, tmp_path: Path
) -> None:
    queue.error = Refused(Outcome(550, "5.7.1", "Not for you"))
    handoff = shared(pair).handoff(tmp_path, InlineBlocking())
    with pytest.raises(Refused, match="Not for you"):
        pair.finish(handoff.accept(ENVELOPE, Message(MemoryBlob(MESSAGE))))
    assert list(tmp_path.iterdir()) == []


def test_a_spool_that_fails_is_a_trouble_of_now(pair: Pair, tmp_path: Path) -> None:
    handoff = shared(pair).handoff(tmp_path / "gone", InlineBlocking())
    with pytest.raises(Unavailable):
        pair.finish(handoff.accept(ENVELOPE, Message(MemoryBlob(LARGE))))


def test_a_message_is_gone_from_the_spool_once_it_is_taken(pair: Pair, tmp_path: Path) -> None:
    """Whatever becomes of the worker that handed it over."""
    path = tmp_path / f"{HANDOFF_PREFIX}1"
    path.write_bytes(MESSAGE)
    pair.finish(pair.near.call("delivery", "accept", ENVELOPE, b"", str(path)))
    assert not path.exists()


def test_a_message_that_is_gone_is_a_trouble_of_now(pair: Pair, tmp_path: Path) -> None:
    path = str(tmp_path / f"{HANDOFF_PREFIX}1")
    with pytest.raises(Unavailable):
        pair.finish(pair.near.call("delivery", "accept", ENVELOPE, b"", path))


def test_a_message_that_cannot_be_read_is_reported_by_its_file(
    queue: FakeQueue, tmp_path: Path
) -> None:
    reports: list[tuple[str, str]] = []
    doors: Any = queue
    service = DeliveryService(
        doors,
        doors,
        InlineBlocking(),
        lambda where, error: reports.append((where, type(error).__name__)),
    )
    path = str(tmp_path / f"{HANDOFF_PREFIX}1")
    for give in (service.accept, service.deliver_each):
        with pytest.raises(Unavailable, match="cannot be read now"):
            finish(give(ENVELOPE, b"", path))
    assert reports == [(path, "FileNotFoundError")] * 2
    assert queue.taken == []


# ---------------------------------------------------------------- filters


def test_rates_are_counted_for_all() -> None:
    rates = RateLimits(
        RateSettings((RateLimit("messages", "address", 3),), trusted=()), StillClock()
    )
    pair = Pair({"filters": FilterService([rates])})
    remotes = [shared(pair).filter(0, rates) for _ in range(2)]
    assert not hasattr(remotes[0], "ended")
    assert [*remotes[0].stages] == [FilterStage.SENDER]
    verdicts = [
        pair.finish(remotes[number % 2].judge(FilterStage.SENDER, SmtpContext("smtp", PEER)))
        for number in range(4)
    ]
    assert [one.decision for one in verdicts] == [Decision.ACCEPT] * 3 + [Decision.DEFER]


def test_octets_are_counted_without_being_sent() -> None:
    rates = RateLimits(
        RateSettings((RateLimit("octets", "address", 100),), trusted=()), StillClock()
    )
    pair = Pair({"filters": FilterService([rates])})
    remote = shared(pair).filter(0, rates)
    context = SmtpContext("smtp", PEER, header=b"x" * 999, message=Message(MemoryBlob(b"x" * 90)))
    assert pair.finish(remote.judge(FilterStage.MESSAGE, context)) == Verdict()
    pair.finish(remote.judge(FilterStage.MESSAGE, context))
    assert pair.finish(remote.judge(FilterStage.MESSAGE, context)).decision is Decision.DEFER
    answer = pair.begin(remote.judge(FilterStage.MESSAGE, context))
    assert b"x" * 90 not in pair.near.transport.value()
    pair.carry()
    assert answer


def test_conversations_are_counted_until_they_end() -> None:
    made = ConcurrencyLimits(ConcurrencySettings(address=2, trusted=()))
    service = FilterService([made])
    pair = Pair({"filters": service})
    remote: Any = shared(pair).filter(0, made)
    contexts = [SmtpContext("smtp", PEER) for _ in range(3)]
    decisions = [pair.finish(remote.judge(FilterStage.CONNECT, one)).decision for one in contexts]
    assert decisions == [Decision.ACCEPT, Decision.ACCEPT, Decision.DEFER]
    pair.finish(remote.judge(FilterStage.SENDER, contexts[0]))
    remote.ended(contexts[0], is_over=False)
    remote.ended(contexts[0], is_over=True)
    pair.carry()
    assert (
        pair.finish(remote.judge(FilterStage.CONNECT, SmtpContext("smtp", PEER))).decision
        is Decision.ACCEPT
    )
    remote.ended(SmtpContext("smtp", PEER), is_over=True)  # of whom nothing is kept
    pair.carry()
    service.close()  # the worker has ended
    assert len(made) == 0
    assert pair.journal.events == []


def test_a_conversation_of_a_worker_that_has_ended_is_not_kept() -> None:
    made = ConcurrencyLimits(ConcurrencySettings(address=2, trusted=()))
    service = FilterService([made])
    judging = service.judge(0, 1, FilterStage.CONNECT, SmtpContext("smtp", PEER))
    service.close()
    finish(judging)
    assert len(made) == 0


def test_all_recipients_are_sent_at_the_last_stage_only() -> None:
    seen: list[int] = []

    class Watcher:
        stages = (FilterStage.RECIPIENT, FilterStage.MESSAGE)

        async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
            seen.append(len(context.recipients))
            return Verdict()

    made = Watcher()
    pair = Pair({"filters": FilterService([made])})
    remote = shared(pair).filter(0, made)
    context = SmtpContext("smtp", PEER, recipients=ENVELOPE.recipients)
    for stage in Watcher.stages:
        pair.finish(remote.judge(stage, context))
    assert seen == [0, 2]


# ---------------------------------------------------------------- the rest


def test_events_are_published_as_if_they_were_of_here() -> None:
    seen: list[Any] = []
    globalLogPublisher.addObserver(seen.append)
    try:
        LogService().publish([{"log_level": "warn", "log_format": "hello", "log_time": 1.0}])
    finally:
        globalLogPublisher.removeObserver(seen.append)
    assert seen[-1]["log_level"] is LogLevel.warn
    assert seen[-1]["log_time"] == 1.0


def test_a_server_of_one_process_has_all_by_itself() -> None:
    alone, made = SharedServices(), RateLimits(RateSettings(), StillClock())
    assert isinstance(alone.throttle(StillClock()), LocalThrottle)
    assert alone.reserver(StoreSettings()) is None
    assert alone.handoff(Path(), InlineBlocking()) is None
    assert alone.filter(0, made) is made
    assert isinstance(alone.connection_counter(0), LocalConnectionCounter)


def test_connections_are_counted_with_the_main_process() -> None:
    counts = SharedCountMemory(SharedCountLayout(2, 1, b"key"), 0)
    main = MainSharedServices(counts)
    worker = RemoteSharedServices(1, Pair({}).near, SharedCountMemory(counts.layout, 1, counts.fd))
    main.connection_counter(0).change("192.0.2.1", 1)
    worker.connection_counter(0).change("192.0.2.1", 1)
    assert main.connection_counter(0).count("192.0.2.1") == 2
