from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import InlineBlocking, NoteJournal, StillClock, finish
from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.delivery.local import LocalDelivery
from twisted_mail.delivery.route import LocalRouter
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.job import LISTS_KEY, Job
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError, Outcome, Refused, Unavailable
from twisted_mail.mail.route import ListTarget
from twisted_mail.queue.folder import APPROVE, REJECT, JobBlob, QueueFolder
from twisted_mail.queue.job_queue import JobQueue
from twisted_mail.queue.program import Completion, DeliveryResult, result_of_exit_code
from twisted_mail.queue.settings import QueueSettings

ALICE, TICKETS, NEWS = "alice@example.org", "tickets@example.org", "news@example.org"
DONE, LATER, FAILED = result_of_exit_code(0), result_of_exit_code(75), result_of_exit_code(69)
KEY = "|ticket"


class FakeStore:
    def __init__(self) -> None:
        self.delivered: list[str] = []
        self.trouble: MailError | None = None

    async def deliver(self, names: Any, message: Message) -> Any:
        message.blob.close()
        if self.trouble is None:
            self.delivered += names
        return dict.fromkeys(names, self.trouble)


class FakeDoer:
    """Does errands as it is told; keeps what it saw."""

    def __init__(self) -> None:
        self.ends: list[DeliveryResult | Exception] = []
        self.seen: list[tuple[str, bytes]] = []

    async def deliver(self, parcel: Job, blob: JobBlob) -> DeliveryResult:
        self.seen.append((parcel.id, b"".join(blob.pieces())))
        end = self.ends.pop(0) if self.ends else DONE
        if isinstance(end, Exception):
            raise end
        return end


class House:
    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = QueueFolder(str(folder))
        self.clock, self.journal, self.store = StillClock(), NoteJournal(), FakeStore()
        self.program, self.lists = FakeDoer(), FakeDoer()
        self.reports: list[tuple[str, str]] = []
        self.told: list[str] = []
        self.untellable: dict[str, Exception] = {}
        self.report_trouble: MailError | None = None
        self.admission: str | Exception | None = ""
        self.waiting = JobQueue(
            self.folder, InlineBlocking(), self.clock, self.journal, QueueSettings(**settings)
        )
        self.waiting.register_transports({KEY: self.program, LISTS_KEY: self.lists}, self, self)
        self.waiting.load()
        directory = FixedDirectory(
            {ALICE: ""},
            programs={TICKETS: ["ticket"], "other@example.org": ["gone"]},
            lists={NEWS: []},
        )
        store: Any = self.store
        self.queue = LocalDelivery(
            DeliveryBackend(LocalRouter(directory), store, self.journal, self.clock, self.waiting)
        )

    async def admit(self, envelope: Envelope, mail: ListTarget, header: bytes) -> str | None:
        self.header = header
        if isinstance(self.admission, Exception):
            raise self.admission
        return self.admission

    async def notify_moderators(self, parcel: Job, blob: JobBlob) -> None:
        self.told.append(parcel.id)
        if parcel.id in self.untellable:
            raise self.untellable[parcel.id]

    async def failed(self, parcel: Job, ended: DeliveryResult, blob: JobBlob) -> None:
        if self.report_trouble is not None:
            raise self.report_trouble
        self.reports.append((parcel.id, ended.reason))

    def accept(
        self, *recipients: str, sender: str = "s@client.example", prefix: bytes = b""
    ) -> None:
        addresses = tuple(parse(one) for one in recipients)
        envelope = Envelope("id1", parse(sender) if sender else NULL, addresses)
        blob = MemoryBlob(b"Subject: x\r\n\r\nbody\r\n")
        finish(self.queue.accept(envelope, Message(blob, prefix)))

    def work(self, key: str = KEY) -> None:
        finish(self.waiting.work(key))

    @property
    def kept(self) -> list[Job]:
        return self.folder.load()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "waiting")


# ---------------------------------------------------------------- taking in


def test_mail_for_a_program_is_on_disk_before_it_is_taken(house: House) -> None:
    house.accept(TICKETS, prefix=b"Received: x\r\n")
    assert [parcel.id for parcel in house.kept] == ["id1-1"]
    assert not house.program.seen
    house.work()
    assert house.program.seen == [("id1-1", b"Received: x\r\nSubject: x\r\n\r\nbody\r\n")]
    assert not house.kept


def test_accounts_get_their_copy_at_once_and_programs_theirs_later(house: House) -> None:
    house.accept(TICKETS, ALICE, NEWS)
    assert house.store.delivered == [ALICE]
    house.work()
    house.work(LISTS_KEY)
    assert [seen[0] for seen in house.program.seen + house.lists.seen] == ["id1-1", "id1-2"]


def test_when_an_account_cannot_take_it_no_program_gets_it(house: House) -> None:
    house.store.trouble = Unavailable("The disk is full")
    with pytest.raises(Unavailable):
        house.accept(TICKETS, ALICE)
    house.work()
    assert not house.program.seen
    assert not house.kept
    house.store.trouble = None
    house.accept(TICKETS, ALICE)  # the sender tries again
    house.work()
    assert len(house.program.seen) == len(house.store.delivered) == 1


def test_when_the_parcel_cannot_be_written_no_account_gets_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(house.folder, "prepare", full)
    with pytest.raises(Unavailable):
        house.accept(TICKETS, ALICE)
    assert not house.store.delivered


def test_what_a_list_refuses_nobody_gets(house: House) -> None:
    house.admission = Refused(Outcome(550, "5.7.1", "Only members may write here"))
    with pytest.raises(Refused, match="Only members"):
        house.accept(ALICE, TICKETS, NEWS)
    assert not house.store.delivered
    assert not house.kept


def test_what_a_list_drops_is_taken_and_gone(house: House) -> None:
    house.admission = None
    house.accept(NEWS)
    assert not house.kept
    assert house.header == b"Subject: x\r\n"


def test_only_so_much_waits(tmp_path: Path) -> None:
    house = House(tmp_path / "waiting", max_parcels=1)
    house.accept(TICKETS)
    with pytest.raises(Unavailable, match="Too much mail"):
        house.accept(TICKETS)
    house.accept(ALICE)


def test_a_message_that_comes_back_to_a_program_is_refused(house: House) -> None:
    with pytest.raises(Refused, match="has been at this address"):
        house.accept(TICKETS, prefix=b"Delivered-To: Tickets@example.org\r\n")


# ---------------------------------------------------------------- trying again


def test_a_program_that_fails_for_now_gets_it_again_and_nobody_else_does(house: House) -> None:
    house.program.ends = [LATER, LATER]
    house.accept(TICKETS, ALICE)
    house.work()
    house.work()
    assert len(house.program.seen) == 1  # it is not due yet
    for pause in (60, 120):
        house.clock.seconds += pause
        house.work()
    assert len(house.program.seen) == 3
    assert house.store.delivered == [ALICE]
    assert not house.kept
    assert not house.reports


def test_pauses_grow_up_to_the_longest(tmp_path: Path) -> None:
    house = House(tmp_path / "waiting", first_retry=10, longest_retry=35)
    house.program.ends = [LATER] * 4
    house.accept(TICKETS)
    pauses = []
    for _ in range(4):
        house.work()
        pauses.append(house.kept[0].due - house.clock.seconds)
        house.clock.seconds = house.kept[0].due
    assert pauses == [10, 20, 35, 35]
    assert (house.kept[0].attempts, house.kept[0].reason) == (4, LATER.reason)


def test_a_failure_for_good_is_told_to_the_sender(house: House) -> None:
    house.program.ends = [FAILED]
    house.accept(TICKETS)
    house.work()
    assert house.reports == [("id1-1", FAILED.reason)]
    assert not house.kept


def test_a_report_that_cannot_be_sent_now_is_tried_again(house: House) -> None:
    house.program.ends = [FAILED, FAILED]
    house.report_trouble = Unavailable("busy")
    house.accept(TICKETS)
    house.work()
    assert len(house.kept) == 1
    house.report_trouble = None
    house.clock.seconds += 60
    house.work()
    assert len(house.reports) == 1
    assert not house.kept


def test_nobody_is_told_of_a_report_that_failed(house: House) -> None:
    house.program.ends = [FAILED]
    house.accept(TICKETS, sender="")
    house.work()
    assert not house.reports
    assert not house.kept


def test_what_did_not_succeed_for_days_is_a_failure(house: House) -> None:
    house.program.ends = [LATER] * 2
    house.accept(TICKETS)
    house.work()
    house.clock.seconds += 5 * 86400 + 1
    house.work()
    assert house.reports == [("id1-1", LATER.reason)]


def test_on_a_full_disk_the_mail_stays_and_is_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    house.program.ends = [LATER]
    house.accept(TICKETS)
    with monkeypatch.context() as patched:
        patched.setattr(house.folder, "update", full)
        house.work()
    assert len(house.kept) == 1
    house.clock.seconds += 3600
    house.work()
    assert len(house.program.seen) == 2
    assert not house.kept


def test_a_parcel_whose_message_is_gone_does_not_hinder_the_others(
    house: House, tmp_path: Path
) -> None:
    house.accept(TICKETS)
    (tmp_path / "waiting" / "id1-1.mail").unlink()
    house.work()
    assert not house.program.seen
    assert "id1-1" in house.waiting._jobs


@pytest.mark.parametrize("error", [RuntimeError("bug"), Unavailable("busy")])
def test_whatever_goes_wrong_the_mail_stays(house: House, error: Exception) -> None:
    house.program.ends = [error]
    house.accept(TICKETS)
    house.work()
    assert len(house.kept) == 1
    failed = [event for event in house.journal.events if event[0] == "failed"]
    assert bool(failed) == isinstance(error, RuntimeError)


def test_mail_for_a_program_that_is_no_more_waits_for_it(house: House) -> None:
    house.lists.ends = [result_of_exit_code(75)]
    house.accept("other@example.org")
    house.work(LISTS_KEY)
    assert [seen[0] for seen in house.lists.seen] == ["id1-1"]
    assert len(house.kept) == 1


def test_everything_goes_on_after_a_restart(house: House, tmp_path: Path) -> None:
    house.accept(TICKETS, NEWS)
    again = House(tmp_path / "waiting")
    again.work()
    again.work(LISTS_KEY)
    assert len(again.program.seen) == len(again.lists.seen) == 1


def test_after_stop_nothing_is_begun(house: House) -> None:
    house.accept(TICKETS)
    house.waiting.stop()
    house.work()
    assert not house.program.seen


# ---------------------------------------------------------------- what is held


def test_what_is_held_waits_for_a_word(house: House) -> None:
    house.admission = "moderated"
    house.accept(NEWS)
    house.work(LISTS_KEY)
    assert not house.lists.seen
    assert [(one.id, one.reason) for one in house.waiting.held] == [("id1-1", "moderated")]
    house.folder.decide("id1-1", APPROVE)
    finish(house.waiting.apply_decisions())
    house.work(LISTS_KEY)
    assert len(house.lists.seen) == 1
    assert house.folder.pending_decisions() == []


def test_owners_are_told_once_of_what_is_held(house: House, tmp_path: Path) -> None:
    house.admission = "moderated"
    house.accept(NEWS)
    for _ in range(3):
        finish(house.waiting.apply_decisions())
    assert house.told == ["id1-1"]
    again = House(tmp_path / "waiting")
    finish(again.waiting.apply_decisions())
    assert again.told == []


@pytest.mark.parametrize("trouble", [Unavailable("full"), RuntimeError("a bug")])
def test_owners_who_cannot_be_told_hold_up_nothing_else(house: House, trouble: Exception) -> None:
    house.admission = "moderated"
    house.accept(NEWS)
    house.untellable["id1-1"] = trouble
    house.folder.decide("id1-1", APPROVE)
    finish(house.waiting.apply_decisions())
    assert not house.waiting.held


def test_owners_who_cannot_be_told_are_not_written_to_all_the_time(house: House) -> None:
    house.admission = "moderated"
    house.accept(NEWS)
    house.untellable["id1-1"] = Unavailable("full")
    for _ in range(10):
        finish(house.waiting.apply_decisions())
    assert house.told == ["id1-1"]
    house.untellable.clear()
    house.clock.seconds += 3601
    for _ in range(10):
        finish(house.waiting.apply_decisions())
    assert house.told == ["id1-1"] * 2


def test_what_is_rejected_is_gone(house: House) -> None:
    house.admission = "moderated"
    house.accept(NEWS)
    house.folder.decide("id1-1", REJECT)
    finish(house.waiting.apply_decisions())
    house.work(LISTS_KEY)
    assert not house.lists.seen
    assert not house.kept


def test_a_word_about_what_is_not_held_is_passed_over(house: House) -> None:
    house.accept(TICKETS)
    house.folder.decide("id1-1", REJECT)
    house.folder.decide("id9-1", APPROVE)
    finish(house.waiting.apply_decisions())
    assert len(house.kept) == 1
    assert house.folder.pending_decisions() == []


def test_what_is_held_too_long_is_gone(house: House) -> None:
    house.admission = "moderated"
    house.accept(NEWS)
    finish(house.waiting.expire(100))
    assert len(house.kept) == 1
    house.clock.seconds += 101
    finish(house.waiting.expire(100))
    assert not house.kept


def test_results_are_three() -> None:
    assert {DONE.completion, LATER.completion, FAILED.completion} == set(Completion)


# ---------------------------------------------------------------- whatever happens

ENDS = st.lists(
    st.sampled_from([LATER, FAILED, DONE, Unavailable("x"), RuntimeError("x")]), max_size=6
)


@given(ends=ENDS, full=st.lists(st.booleans(), max_size=3), restarts=st.integers(0, 3))
def test_whatever_fails_nothing_is_lost_and_only_what_failed_is_repeated(
    ends: list[DeliveryResult | Exception], full: list[bool], restarts: int
) -> None:
    with TemporaryDirectory() as name:
        house = House(Path(name) / "waiting", first_retry=1, longest_retry=1)
        house.program.ends = list(ends)
        for is_full in [*full, False]:  # the sender tries until it hears 250
            house.store.trouble = Unavailable("full") if is_full else None
            with suppress(Unavailable):
                house.accept(TICKETS, ALICE)
                break
        for step in range(len(ends) + restarts + 1):
            if step < restarts:
                house.waiting = JobQueue(
                    house.folder,
                    InlineBlocking(),
                    house.clock,
                    house.journal,
                    QueueSettings(1, 1),
                )
                house.waiting.register_transports(
                    {KEY: house.program, LISTS_KEY: house.lists}, house, house
                )
                house.waiting.load()
            house.clock.seconds += 2
            house.work()
        assert house.store.delivered == [ALICE]
        settled = next((at for at, end in enumerate(ends) if end in (DONE, FAILED)), len(ends))
        assert len(house.program.seen) == settled + 1
        assert len(house.reports) == (settled < len(ends) and ends[settled] is FAILED)
        assert not house.kept
