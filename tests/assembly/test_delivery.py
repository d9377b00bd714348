from pathlib import Path
from typing import Any

from twisted_mail.assembly.delivery import DeliveryAssembly, DeliveryDependencies
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.queue.folder import QueueFolder
from twisted_mail.queue.program import Program, result_of_exit_code
from twisted_mail.store.disk.files import DiskFiles
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal

TICKETS = parse("tickets@example.org")


def make_delivery(
    folder: Path, run: Any = lambda *_: result_of_exit_code(0), **more: Any
) -> DeliveryAssembly:
    directory = FixedDirectory({}, programs={str(TICKETS): ["ticket"]})
    nothing: Any = None
    made = DeliveryAssembly(
        DeliveryDependencies(
            hostname="mail.example.org",
            router=LocalRouter(directory),
            store=nothing,
            mailing_lists=nothing,
            journal=ListJournal(),
            clock=StillClock(),
            folder=str(folder),
            files=InlineBlocking(),
            program_threads=InlineBlocking(),
            run_program=run,
            programs=[Program("ticket", ("/bin/true",), max_running=2)],
            **more,
        )
    )
    made.load()
    return made


def accept(delivery: DeliveryAssembly) -> None:
    envelope = Envelope("id1", parse("s@client.example"), (TICKETS,))
    finish(delivery.queue.accept(envelope, Message(MemoryBlob(b"Subject: x\r\n\r\nbody\r\n"))))


def test_each_program_is_worked_on_as_often_as_it_may_run(tmp_path: Path) -> None:
    names = [name for name, _ in make_delivery(tmp_path).periodic_work()]
    assert names.count("program ticket") == 2
    assert {"mailing lists", "held posts", "unknown programs"} < set(names)


def test_mail_for_a_program_goes_from_the_queue_to_the_program(tmp_path: Path) -> None:
    runs: list[str] = []

    def run(program: Program, environment: dict[str, str], message: object) -> Any:
        runs.append(f"{program.name} {environment['RECIPIENT']}")
        return result_of_exit_code(0)

    delivery = make_delivery(tmp_path, run)
    accept(delivery)
    for _, work in delivery.periodic_work():
        finish(work())  # type: ignore[arg-type]
    assert runs == [f"ticket {TICKETS}"]
    assert QueueFolder(str(tmp_path), DiskFiles()).read_all() == []


def test_after_stop_nothing_is_begun_and_the_mail_stays(tmp_path: Path) -> None:
    delivery = make_delivery(tmp_path)
    accept(delivery)
    delivery.stop()
    for _, work in delivery.periodic_work():
        finish(work())  # type: ignore[arg-type]
    assert len(QueueFolder(str(tmp_path), DiskFiles()).read_all()) == 1
