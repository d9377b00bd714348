"""All that delivers, connected: from the door of the queue to a program, over what is on disk."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from tests.queue.takeover.test_take_over import WRITTEN
from twisted_mail.assembly.delivery import DeliveryAssembly, DeliveryDependencies
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome, Refused, Unavailable
from twisted_mail.net.process.tasks import ReactorTasks
from twisted_mail.queue.events import QueueEvents
from twisted_mail.queue.program import Program, ProgramEnd, outcome_of_exit_code
from twisted_mail.queue.spool.schema import SpoolUnusable
from twisted_mail.testing.clock import ServerClock, ServerTime
from twisted_mail.testing.doubles import InlineBlocking, finish
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.testing.store import RecordingStore

ALICE, BOB = parse("alice@example.org"), parse("bob@example.org")
TICKETS = parse("tickets@example.org")


class NoLists:
    """A directory without mailing lists."""

    async def find(self, name: str) -> None:
        return None


class DeliveryBench:
    """The assembly over a state folder, with a program that a test scripts."""

    def __init__(self, state: Path, **more: Any) -> None:
        self.time, self.journal, self.store = ServerTime(), ListJournal(), RecordingStore()
        self.codes: list[int] = []
        self.runs: list[str] = []
        directory = FixedDirectory(
            {str(ALICE): "", str(BOB): ""}, programs={str(TICKETS): ["ticket"]}
        )
        dependencies: dict[str, Any] = {
            "hostname": "mail.example.org",
            "router": LocalRouter(directory),
            "store": self.store,
            "mailing_lists": NoLists(),
            "journal": self.journal,
            "queue_journal": QueueEvents(self.journal),
            "clock": ServerClock(self.time),
            "tasks": ReactorTasks(self.time, self.journal),
            "queue_folder": str(state / "queue"),
            "waiting_folder": str(state / "waiting"),
            "files": InlineBlocking(),
            "program_threads": InlineBlocking(),
            "run_program": self.run,
            "programs": [Program("ticket", ("/bin/true",), max_running=2)],
        }
        self.delivery = DeliveryAssembly(DeliveryDependencies(**(dependencies | more)))

    def run(self, program: Program, environment: dict[str, str], message: object) -> ProgramEnd:
        self.runs.append(f"{program.name} {environment['RECIPIENT']}")
        return ProgramEnd(outcome_of_exit_code(self.codes.pop(0) if self.codes else 0))

    def start(self) -> "DeliveryBench":
        finish(self.delivery.start())
        self.time.advance(0)
        return self

    def accept(self, *recipients: Address, sender: str = "s@client.example") -> None:
        envelope = Envelope("id1", parse(sender), recipients or (TICKETS,))
        message = Message(MemoryBlob(b"Subject: x\r\n\r\nbody\r\n"))
        finish(self.delivery.queue.accept(envelope, message))

    def pass_seconds(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.time.advance(1)
            for _, work in self.delivery.periodic_work():
                finish(work())  # type: ignore[arg-type]

    def stop(self) -> None:
        finish(self.delivery.stop())
        finish(self.delivery.close())

    @property
    def bugs(self) -> list[Any]:
        return self.journal.of("failed")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[DeliveryBench]:
    made = DeliveryBench(tmp_path).start()
    yield made
    made.stop()
    assert made.bugs == []


def test_mail_for_a_program_goes_from_the_queue_to_the_program(bench: DeliveryBench) -> None:
    bench.accept()
    bench.pass_seconds(1)
    assert bench.runs == [f"ticket {TICKETS}"]
    bench.pass_seconds(10)
    assert len(bench.runs) == 1


def test_a_program_that_fails_for_now_gets_it_again_and_nobody_else_does(
    bench: DeliveryBench,
) -> None:
    bench.codes = [75]
    bench.accept(TICKETS, ALICE)
    bench.pass_seconds(400)
    assert len(bench.runs) == 2
    assert bench.store.delivered == [str(ALICE)]


def test_an_account_that_fails_for_now_gets_its_copy_from_the_queue(bench: DeliveryBench) -> None:
    bench.store.failures[str(ALICE)] = Unavailable("busy")
    bench.accept(ALICE, BOB)
    assert bench.store.delivered == [str(BOB)]
    bench.store.failures.clear()
    bench.pass_seconds(400)
    assert bench.store.delivered == [str(BOB), str(ALICE)]
    assert len(bench.journal.of("delivered")) == 2


def test_of_an_account_that_fails_permanently_the_sender_gets_a_report(
    bench: DeliveryBench,
) -> None:
    full = Refused(Outcome(552, "5.2.2", "The mailbox is full"))
    bench.store.failures[str(ALICE)] = full
    bench.accept(ALICE, BOB, sender=str(BOB))
    bench.pass_seconds(2)
    _, report = bench.store.copies[str(BOB)]
    assert b"The mailbox is full" in report
    assert b"Final-Recipient: rfc822; alice@example.org" in report


def test_what_waits_goes_on_after_a_restart(tmp_path: Path) -> None:
    first = DeliveryBench(tmp_path).start()
    first.codes = [75]
    first.accept()
    first.pass_seconds(1)
    first.stop()
    second = DeliveryBench(tmp_path)
    second.time.advance(first.time.seconds() - second.time.seconds())
    second.start()
    second.pass_seconds(400)
    second.stop()
    assert second.runs == [f"ticket {TICKETS}"]
    assert first.bugs == second.bugs == []


def test_after_stop_nothing_is_begun_and_the_mail_stays(tmp_path: Path) -> None:
    first = DeliveryBench(tmp_path).start()
    finish(first.delivery.stop())
    first.accept()
    first.time.advance(1)
    finish(first.delivery.close())
    assert first.runs == []
    second = DeliveryBench(tmp_path).start()
    second.pass_seconds(61)
    second.stop()
    assert second.runs == [f"ticket {TICKETS}"]


def test_mail_for_the_queue_waits_with_its_sender_while_that_is_not_open(tmp_path: Path) -> None:
    bench = DeliveryBench(tmp_path)
    bench.accept(ALICE)
    with pytest.raises(Unavailable, match="not open"):
        bench.accept(TICKETS)
    bench.start()
    bench.accept(TICKETS)
    bench.stop()
    with pytest.raises(Unavailable):
        bench.accept(TICKETS)
    assert bench.bugs == []


def test_two_servers_never_share_a_queue(bench: DeliveryBench, tmp_path: Path) -> None:
    with pytest.raises(SpoolUnusable):
        DeliveryBench(tmp_path).start()


def test_what_an_earlier_version_left_is_taken_over_and_brought_on(tmp_path: Path) -> None:
    copytree(WRITTEN, tmp_path / "waiting")
    bench = DeliveryBench(tmp_path).start()
    bench.pass_seconds(700)
    bench.stop()
    assert bench.runs == ["ticket tickets+7@example.org"]
    assert [path for path in (tmp_path / "waiting").rglob("*") if path.is_file()] == []
    [(_, text)] = [one for one in bench.journal.of("warned") if "earlier version" in one[1]]
    assert text == "8 messages of an earlier version are taken over"


def test_a_worker_has_no_queue_of_its_own(tmp_path: Path) -> None:
    handoff: Any = object()
    bench = DeliveryBench(tmp_path, handoff=handoff).start()
    assert bench.delivery.periodic_work() == []
    bench.accept(ALICE)
    bench.stop()
    assert bench.store.delivered == [str(ALICE)]
    assert not (tmp_path / "queue").exists()
