"""Taking responsibility for mail: accounts, the queue, and what is promised when one of them fails."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.delivery.acceptance_bench import (
    ALICE,
    AWAY,
    BOB,
    BODY,
    BUSY,
    DAVE,
    FULL,
    NEWS,
    SENDER,
    TEAM,
    TICKETS,
    AcceptanceBench,
)
from twisted_mail.delivery.acceptance import MailAcceptance
from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.interfaces import Directory, ReportAction, ReportedRecipient
from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.envelope import DsnRequest, Envelope, FutureRelease, MailParameters
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError, Outcome, Refused, Unavailable
from twisted_mail.mail.queued.job import OwedRecipient, RecipientState
from twisted_mail.mail.queued.target import AccountTarget, RemoteTarget
from twisted_mail.mail.route import KnownRoutes, LocalRoute, ProgramTarget, Route
from twisted_mail.testing.doubles import EPOCH, StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.testing.store import RecordingStore

# ------------------------------------------------------------ accounts alone


def test_a_message_is_delivered_with_its_return_path_in_front() -> None:
    bench = AcceptanceBench()
    bench.accept(ALICE)
    assert bench.store.deliveries == [
        ([ALICE], b"Return-Path: <s@client.example>\r\nReceived: x\r\n" + BODY)
    ]
    assert bench.journal.events == [("delivered", ("id1", [ALICE], "INBOX"))]
    assert bench.spool.jobs == {}


def test_the_null_sender_is_an_empty_return_path() -> None:
    bench = AcceptanceBench()
    bench.accept(ALICE, sender="")
    assert bench.store.deliveries[0][1].startswith(b"Return-Path: <>\r\n")


def test_every_account_gets_one_copy_in_one_delivery() -> None:
    bench = AcceptanceBench()
    bench.accept(BOB, TEAM, "Bob+x@example.org", ALICE)
    assert [names for names, _ in bench.store.deliveries] == [[BOB, ALICE]]


def test_a_recipient_that_is_not_here_is_refused_before_anybody_gets_mail() -> None:
    bench = AcceptanceBench()
    assert isinstance(bench.refusal(ALICE, TICKETS, "nobody@example.org"), Refused)
    assert bench.store.deliveries == []
    assert bench.spool.jobs == {}


@pytest.mark.parametrize("client_host", ["192.0.2.1", ""])
def test_what_a_client_sent_is_received_before_it_is_delivered(client_host: str) -> None:
    bench = AcceptanceBench()
    bench.accept(ALICE, BOB, client_host=client_host)
    received, delivered = bench.journal.events
    assert (received[0], received[1][1]) == ("received", len(BODY))
    assert delivered == ("delivered", ("id1", [ALICE, BOB], "INBOX"))


# ------------------------------------------------------------ the queue alone


def test_what_is_for_the_queue_alone_is_one_job_in_one_commit() -> None:
    bench = AcceptanceBench()
    prepared: list[Any] = []
    bench.spool.prepare = prepared.append  # type: ignore[assignment]
    bench.accept(TICKETS, NEWS, DAVE, AWAY, client_host="192.0.2.1")
    job = bench.spool.jobs["id1"]
    assert job.is_kept
    assert [str(one.destination) for one in job.recipients.values()] == [
        "program:ticket",
        f"list:{NEWS}",
        "smtp:elsewhere.example",
        "smtp:elsewhere.example",
    ]
    assert (job.message.read(), job.job.size) == (b"Received: x\r\n" + BODY, 13 + len(BODY))
    assert prepared == []
    assert [event for event, _ in bench.journal.events] == ["received"]


def test_a_recipient_says_how_the_sender_wrote_it_where_an_alias_led_on() -> None:
    bench = AcceptanceBench()
    bench.accept(AWAY, DAVE)
    assert bench.owed["x@elsewhere.example"].original == parse(AWAY)
    assert bench.owed[DAVE].original is None


def test_what_is_asked_about_reports_goes_into_the_job() -> None:
    bench = AcceptanceBench()
    asked = DsnRequest(frozenset({"DELAY"}), "rfc822;dave@elsewhere.example")
    parameters = MailParameters(returns="HDRS", envid="e1", body="8BITMIME")
    bench.accept(
        DAVE,
        TICKETS,
        dsn_requests={parse(DAVE): asked},
        mail_parameters=parameters,
        submitter=ALICE,
        message_id="<m@x>",
        is_tls_optional=True,
    )
    job = bench.spool.jobs["id1"].job
    assert (job.mail_parameters, job.submitter, job.message_id) == (parameters, ALICE, "<m@x>")
    assert job.is_tls_optional
    assert "TLS-Required" in bench.queue.supported_keywords
    assert bench.owed[DAVE].dsn_request == asked
    assert bench.owed[TICKETS].dsn_request == DsnRequest()


def test_a_queue_that_fails_leaves_the_message_with_the_sender() -> None:
    bench = AcceptanceBench()
    bench.spool.failure = BUSY
    assert bench.refusal(TICKETS).outcome == BUSY.outcome
    assert bench.journal.events == []


def test_what_is_reported_at_once_is_taken_only_where_there_is_room() -> None:
    bench = AcceptanceBench()
    told = ReportedRecipient(OwedRecipient(1, RemoteTarget(parse(TEAM))), ReportAction.EXPANDED)
    assert bench.backend.queue is not None
    doors = replace(bench.backend.queue, told_at_acceptance=lambda *_: [told])
    bench.queue = MailAcceptance(replace(bench.backend, queue=doors))

    async def full(*_: object) -> None:
        raise BUSY

    for step in ("prepare", "keep"):
        before = getattr(bench.spool, step)
        setattr(bench.spool, step, full)
        assert bench.refusal(DAVE).outcome == BUSY.outcome
        assert bench.spool.jobs == {}
        setattr(bench.spool, step, before)
    bench.accept(DAVE)
    assert sorted(bench.spool.jobs) == ["id1", "report2"]
    assert bench.spool.jobs["id1"].is_kept


def test_a_program_that_had_the_message_before_is_a_loop() -> None:
    bench = AcceptanceBench()
    for field in ("Delivered-To", "Old-Delivered-To"):
        refusal = bench.refusal(ALICE, TICKETS, prefix=f"{field}: Tickets@example.org\r\n".encode())
        assert refusal.outcome.enhanced == "5.4.6"
    assert bench.store.deliveries == []


@pytest.mark.parametrize("answer", [Refused("Only members may write"), BUSY])
def test_a_list_that_does_not_take_a_message_is_asked_before_anybody_gets_it(
    answer: MailError,
) -> None:
    bench = AcceptanceBench()
    bench.admission.answers[NEWS] = answer
    assert bench.refusal(ALICE, TICKETS, NEWS).outcome == answer.outcome
    assert bench.store.deliveries == []
    assert bench.spool.jobs == {}


def test_a_post_that_is_held_waits_for_a_word() -> None:
    bench = AcceptanceBench()
    bench.admission.answers[NEWS] = "the list is moderated"
    bench.accept(NEWS)
    held = bench.owed[NEWS]
    assert (held.state, held.reason) == (RecipientState.HELD, "the list is moderated")
    assert held.waits_for_moderators


def test_what_a_list_drops_is_accepted_and_is_no_job() -> None:
    bench = AcceptanceBench()
    bench.admission.answers[NEWS] = None
    bench.accept(NEWS)
    assert bench.spool.jobs == {}


def test_only_so_many_posts_of_a_list_are_held() -> None:
    bench = AcceptanceBench(max_held=1)
    bench.admission.answers[NEWS] = "the list is moderated"
    bench.accept(NEWS)
    assert bench.refusal(NEWS).outcome.enhanced == "4.3.1"


def test_what_is_released_later_is_given_to_nobody_yet() -> None:
    bench = AcceptanceBench()
    release = FutureRelease(EPOCH + 3600, "for;3600")
    bench.accept(ALICE, DAVE, mail_parameters=MailParameters(future_release=release))
    assert bench.store.deliveries == []
    assert {one.due for one in bench.owed.values()} == {EPOCH + 3600}
    assert bench.owed[ALICE].target == AccountTarget(ALICE, parse(ALICE))


# ------------------------------------------------------------ both


def test_a_job_is_prepared_before_accounts_get_their_copies_and_kept_after_them() -> None:
    bench = AcceptanceBench()
    states: list[bool] = []
    deliver = bench.store.deliver

    async def noting(*args: Any) -> Any:
        states.append(bench.spool.jobs["id1"].is_kept)
        return await deliver(*args)

    bench.store.deliver = noting  # type: ignore[method-assign]
    bench.accept(ALICE, TICKETS)
    assert states == [False]
    assert bench.spool.jobs["id1"].is_kept
    assert bench.store.delivered == [ALICE]


def test_an_account_that_fails_for_now_becomes_a_recipient() -> None:
    bench = AcceptanceBench(bob=BUSY)
    bench.accept(TICKETS, ALICE, "Bob+lists@example.org")
    assert bench.store.delivered == [ALICE]
    program, bob = bench.spool.jobs["id1"].recipients.values()
    assert isinstance(program.target, ProgramTarget)
    assert bob.target == AccountTarget(BOB, parse("Bob+lists@example.org"), "lists")
    assert (bob.number, bob.tries, bob.due) == (2, 1, EPOCH + 300)
    assert bob.last is not None
    assert bob.last.outcome == BUSY.outcome


def test_an_account_that_fails_for_now_is_a_job_of_its_own_where_there_was_none() -> None:
    bench = AcceptanceBench(bob=BUSY)
    bench.accept(ALICE, BOB)
    assert [one.target for one in bench.owed.values()] == [AccountTarget(BOB, parse(BOB))]
    assert bench.spool.jobs["id1"].is_kept
    assert bench.reports.told == []


def test_what_was_taken_for_junk_still_is_when_an_account_gets_it_later() -> None:
    bench = AcceptanceBench(bob=BUSY)

    class NoMailboxes:
        async def mailboxes(self) -> list[object]:
            return []

    async def account(name: str) -> NoMailboxes:
        return NoMailboxes()

    bench.store.account = account  # type: ignore[attr-defined]
    bench.accept(ALICE, BOB, is_quarantined=True)
    assert bench.store.delivered == [ALICE]
    assert list(bench.owed) == [BOB]
    assert bench.spool.jobs["id1"].job.is_quarantined


def test_of_an_account_that_fails_permanently_the_sender_gets_a_report() -> None:
    bench = AcceptanceBench(bob=FULL)
    bench.accept(ALICE, BOB)
    assert list(bench.spool.jobs) == ["report1"]
    [(job, [told])] = bench.reports.told
    assert (job.id, told.action) == ("id1", ReportAction.FAILED)
    assert told.recipient.target == AccountTarget(BOB, parse(BOB))
    assert told.recipient.last is not None
    assert told.recipient.last.outcome == FULL.outcome


def test_a_report_that_cannot_be_written_now_is_left_to_the_queue() -> None:
    bench = AcceptanceBench(bob=FULL)
    bench.reports.error = BUSY
    bench.accept(ALICE, BOB)
    assert list(bench.owed) == [BOB]


def test_a_failure_that_nobody_can_be_told_of_is_held() -> None:
    bench = AcceptanceBench(bob=FULL)
    bench.reports.has_reader = False
    bench.accept(ALICE, BOB, sender="")
    bob = bench.owed[BOB]
    assert (bob.state, bob.reason) == (
        RecipientState.HELD,
        "nobody can be told: The mailbox is full",
    )
    assert bob.due == EPOCH + 30 * 86400


def test_a_single_failure_is_told_as_it_is() -> None:
    assert AcceptanceBench(alice=FULL).refusal(ALICE).outcome == FULL.outcome
    assert isinstance(AcceptanceBench(alice=BUSY).refusal(ALICE), Unavailable)


@pytest.mark.parametrize(
    ("alice", "bob", "kind"), [(FULL, FULL, Refused), (FULL, BUSY, Unavailable)]
)
def test_where_all_accounts_fail_the_sender_keeps_the_message(
    alice: MailError, bob: MailError, kind: type
) -> None:
    bench = AcceptanceBench(alice=alice, bob=bob)
    assert isinstance(bench.refusal(ALICE, BOB, TICKETS, client_host="192.0.2.1"), kind)
    assert bench.spool.jobs == {}
    assert bench.reports.told == []
    assert bench.journal.events == []


def test_a_store_that_fails_as_a_whole_leaves_the_message_with_the_sender() -> None:
    bench = AcceptanceBench()

    async def deliver(*_: object) -> Any:
        raise BUSY

    bench.store.deliver = deliver  # type: ignore[method-assign]
    assert bench.refusal(ALICE, BOB, TICKETS).outcome == BUSY.outcome
    assert bench.spool.jobs == {}


def test_a_bug_drops_the_job() -> None:
    bench = AcceptanceBench()
    bench.store.exception = RuntimeError("a bug")
    with pytest.raises(RuntimeError):
        bench.accept(ALICE, TICKETS)
    assert bench.spool.jobs == {}


@pytest.mark.parametrize("error", [BUSY, RuntimeError("a bug")])
def test_where_the_queue_fails_too_a_retry_gives_nobody_a_second_copy(error: Exception) -> None:
    bench = AcceptanceBench(bob=BUSY)
    apply = bench.spool.apply

    async def failing(change: object) -> None:
        raise error

    bench.spool.apply = failing  # type: ignore[method-assign, assignment]
    for _ in range(3):
        with pytest.raises(type(error)):
            bench.accept(ALICE, BOB)
    assert bench.store.delivered == [ALICE]
    assert bench.journal.of("delivered") == [("id1", [ALICE], "INBOX")]
    bench.spool.apply = apply  # type: ignore[method-assign]
    bench.accept(ALICE, BOB)
    assert bench.store.delivered == [ALICE]
    assert list(bench.owed) == [BOB]


def test_who_has_the_message_is_logged_even_if_its_job_cannot_be_kept() -> None:
    bench = AcceptanceBench()

    async def keep(*_: object) -> None:
        raise BUSY

    bench.spool.keep = keep  # type: ignore[method-assign, assignment]
    assert bench.refusal(ALICE, TICKETS, client_host="192.0.2.1").outcome == BUSY.outcome
    assert bench.journal.events == [("delivered", ("id1", [ALICE], "INBOX"))]
    assert bench.spool.jobs == {}


@given(
    fails=st.lists(st.sampled_from(["keep", "apply", "prepare", "accept", "bob", ""]), max_size=4)
)
def test_whatever_fails_everybody_is_served_once(fails: list[str]) -> None:
    bench = AcceptanceBench()
    for what in [*fails, ""]:  # the sender tries until it hears 250
        bench.store.failures = {BOB: BUSY} if what in ("bob", "apply") else {}
        doors: Any = bench.spool

        async def failing(*_: object) -> None:
            raise BUSY

        before = getattr(doors, what, None)
        if before is not None:
            setattr(doors, what, failing)
        with suppress(Unavailable):
            bench.accept(ALICE, BOB, TICKETS)
            break
        if before is not None:
            setattr(doors, what, before)
    served = sorted([*bench.store.delivered, *bench.owed])
    assert served == [ALICE, BOB, TICKETS]


# ------------------------------------------------------------ junk


def test_what_was_taken_for_junk_is_not_sent_on() -> None:
    bench = AcceptanceBench()
    assert bench.refusal(AWAY, is_quarantined=True).outcome.enhanced == "5.7.1"
    bench.accept(AWAY, TICKETS, is_quarantined=True)
    assert list(bench.owed) == [TICKETS]
    assert bench.spool.jobs["id1"].job.is_quarantined


# ------------------------------------------------------------ routes


class CountingRouter(LocalRouter):
    """Notes whom it is asked about."""

    def __init__(self, directory: Directory) -> None:
        super().__init__(directory)
        self.asked: list[str] = []

    async def route(self, recipient: Address) -> Route:
        self.asked.append(str(recipient))
        return await super().route(recipient)


@pytest.mark.parametrize(("is_current", "asked"), [(True, [BOB]), (False, [ALICE, BOB])])
def test_routes_are_found_again_only_where_the_directory_has_changed(
    is_current: bool, asked: list[str]
) -> None:
    bench = AcceptanceBench()
    router = CountingRouter(bench.directory)
    version = router.version() if is_current else "of old"
    known = KnownRoutes(version, {parse(ALICE): LocalRoute((ALICE,))})
    queue = MailAcceptance(replace(bench.backend, router=router))
    envelope = Envelope("id1", NULL, (parse(ALICE), parse(BOB)), routes=known)
    finish(queue.accept(envelope, Message(MemoryBlob(BODY))))
    assert router.asked == asked
    assert [list(to) for to, _ in bench.store.deliveries] == [[ALICE, BOB]]


def test_an_account_that_was_removed_since_rcpt_gets_nothing() -> None:
    router, store = LocalRouter(FixedDirectory({BOB: ""})), RecordingStore()
    backend = DeliveryBackend(router, store, ListJournal(), StillClock())  # type: ignore[arg-type]
    known = KnownRoutes("before it was removed", {parse(ALICE): LocalRoute((ALICE,))})
    envelope = Envelope("id1", NULL, (parse(ALICE),), routes=known)
    with pytest.raises(Refused):
        finish(MailAcceptance(backend).accept(envelope, Message(MemoryBlob(BODY))))
    assert store.deliveries == []


def test_while_many_recipients_are_routed_others_have_their_turn() -> None:
    clock, store = StillClock(), RecordingStore()
    names = [f"u{number}@example.org" for number in range(100)]

    class SlowRouter(LocalRouter):
        async def route(self, recipient: Address) -> Route:
            clock.seconds += 0.005
            return await super().route(recipient)

    router = SlowRouter(FixedDirectory(dict.fromkeys(names, ""), {}))
    queue = MailAcceptance(DeliveryBackend(router, store, ListJournal(), clock))  # type: ignore[arg-type]
    envelope = Envelope("id1", NULL, tuple(parse(name) for name in names))
    finish(queue.accept(envelope, Message(MemoryBlob(BODY))))
    assert [list(to) for to, _ in store.deliveries] == [names]
    assert 20 <= len(clock.slept) <= 25


def test_room_is_lacking_only_where_nobody_has_any() -> None:
    def check_quota(*accounts: str, **failures: MailError) -> Outcome | None:
        return finish(AcceptanceBench(**failures).queue.check_quota(accounts, 10))

    assert check_quota(ALICE) is None
    assert check_quota(ALICE, BOB, alice=FULL) is None
    assert check_quota(ALICE, alice=FULL) == FULL.outcome
    assert check_quota(ALICE, BOB, alice=FULL, bob=BUSY) == BUSY.outcome
    assert check_quota() is None


# ------------------------------------------------------------ without a queue, and in a worker


def test_without_a_queue_the_sender_keeps_what_not_every_account_has() -> None:
    bench = AcceptanceBench(alice=BUSY)
    queue = MailAcceptance(replace(bench.backend, queue=None))
    envelope = bench.envelope(ALICE, BOB)
    for _ in range(2):
        with pytest.raises(Unavailable, match="Not delivered to every recipient"):
            finish(queue.accept(envelope, Message(MemoryBlob(BODY))))
    assert bench.store.delivered == [BOB]
    with pytest.raises(Unavailable, match="not taken now"):
        finish(queue.accept(bench.envelope(TICKETS), Message(MemoryBlob(BODY))))


class FakeElsewhere:
    """Another process, which takes whole messages, and accounts that failed."""

    def __init__(self) -> None:
        self.taken: list[tuple[Envelope, bytes]] = []
        self.failed: list[AccountTarget] = []

    async def accept(self, envelope: Envelope, message: Message) -> None:
        self.taken.append((envelope, message.read()))
        message.blob.close()

    async def deliver_each(self, envelope: Envelope, message: Message) -> dict[Any, None]:
        await self.accept(envelope, message)
        return dict.fromkeys(envelope.recipients)

    async def accept_failed(self, envelope: Envelope, message: Message, failed: Any) -> None:
        self.failed += [one.target for one in failed]


def worker(bench: AcceptanceBench) -> tuple[AcceptanceBench, FakeElsewhere]:
    """Make a bench a process that leaves to another what needs more than files in inboxes."""
    elsewhere = FakeElsewhere()
    bench.queue = MailAcceptance(replace(bench.backend, queue=None, handoff=elsewhere))
    return bench, elsewhere


def test_a_worker_delivers_what_is_for_inboxes() -> None:
    bench, elsewhere = worker(AcceptanceBench())
    bench.accept(ALICE)
    assert bench.store.delivered == [ALICE]
    assert (elsewhere.taken, elsewhere.failed) == ([], [])


def test_a_worker_hands_over_the_accounts_that_fail() -> None:
    bench, elsewhere = worker(AcceptanceBench(bob=BUSY))
    bench.accept(ALICE, BOB)
    assert bench.store.delivered == [ALICE]
    assert elsewhere.failed == [AccountTarget(BOB, parse(BOB))]


@pytest.mark.parametrize(
    ("recipients", "more"),
    [
        ((ALICE, TICKETS), {}),
        ((DAVE,), {}),
        ((ALICE,), {"is_quarantined": True}),
        ((ALICE,), {"dsn_requests": {parse(ALICE): DsnRequest(frozenset({"SUCCESS"}))}}),
    ],
    ids=["for a program too", "for elsewhere", "quarantined", "with a wish for a report"],
)
def test_a_worker_hands_everything_else_over_whole(
    recipients: tuple[str, ...], more: dict[str, Any]
) -> None:
    bench, elsewhere = worker(AcceptanceBench())
    bench.accept(*recipients, **more)
    assert bench.store.deliveries == []
    [(envelope, data)] = elsewhere.taken
    assert [str(one) for one in envelope.recipients] == [*recipients]
    assert data == b"Received: x\r\n" + BODY


def test_the_main_process_queues_accounts_that_failed_in_a_worker() -> None:
    bench, elsewhere = worker(AcceptanceBench(bob=BUSY))
    taken: list[Any] = []

    async def accept_failed(*args: Any) -> None:
        taken.extend(args)

    elsewhere.accept_failed = accept_failed  # type: ignore[method-assign]
    bench.accept(ALICE, BOB)
    finish(MailAcceptance(bench.backend).accept_failed(*taken))
    assert bench.owed[BOB].due == EPOCH + 300
    assert bench.spool.jobs["id1"].message.read() == b"Received: x\r\n" + BODY


def test_a_remote_address_is_a_target_of_its_own() -> None:
    bench = AcceptanceBench()
    bench.accept(DAVE, sender=SENDER)
    assert bench.owed[DAVE].target == RemoteTarget(parse(DAVE))
