"""The dispatcher over the spool on disk, which is killed and begun again."""

from pathlib import Path
from typing import Any

from tests.queue.dispatch.played_queue import (
    DAY,
    HOUR,
    LATER,
    MESSAGE,
    MINUTE,
    OK,
    PlayedQueue,
    addresses,
    owed,
)
from tests.queue.spool.spools import abandon, start_spool
from twisted_mail.mail.address import parse
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, QueuedJob, Transaction
from twisted_mail.queue.dispatch.settings import DispatchSettings


def restart(queue: PlayedQueue, folder: Path) -> None:
    queue.crash()
    abandon(queue.disk)
    queue.disk = start_spool(folder)  # type: ignore[assignment]
    queue.begin()


def test_all_goes_over_three_crashes_and_nobody_gets_it_twice(tmp_path: Path) -> None:
    settings = DispatchSettings(connections=40, ready=400, ready_per_destination=100)
    queue = PlayedQueue(settings=settings, disk=start_spool(tmp_path))
    served: list[tuple[str, int]] = []
    tries: dict[tuple[str, int], int] = {}

    def answer(transaction: Transaction, recipient: OwedRecipient) -> Any:
        key = (transaction.job.id, recipient.number)
        tries[key] = tries.get(key, 0) + 1
        if tries[key] == 1 and recipient.number % 3 == 0:
            return LATER
        served.append(key)
        return OK

    queue.carrier.answer = answer
    queue.carrier.seconds = 1.0
    queue.carrier.dead.add("dead.example")
    queue.accept(*addresses("big.example", 700))
    queue.accept("bob@dead.example")
    for number in range(300):
        queue.accept(
            f"bob@d{number % 30}.example",
            "carol@big.example",
            f"dave@d{number % 7}.example",
            sender=f"s{number % 5}@example.org",
        )
    for pause in (3.0, 40.0, HOUR):
        queue.pass_time(pause)
        restart(queue, tmp_path)
    queue.pass_time(2 * HOUR)
    assert queue.disk.counts().recipients == 1  # the one for the dead domain
    assert len(served) == len(set(served)) == 700 + 900
    queue.carrier.dead.clear()
    queue.pass_time(2 * HOUR)
    assert queue.disk.counts().recipients == 0
    queue.check()
    abandon(queue.disk)


def test_a_rest_and_an_expiry_survive_on_disk(tmp_path: Path) -> None:
    queue = PlayedQueue(disk=start_spool(tmp_path))
    queue.carrier.dead.add("dead.example")
    queue.accept("bob@dead.example")
    queue.pass_time(2.1 * HOUR)
    connections = len(queue.carrier.connected)
    restart(queue, tmp_path)
    queue.pass_time(10 * MINUTE)
    assert len(queue.carrier.connected) == connections
    queue.pass_time(5 * DAY)
    assert [told[0].action.value for _, told in queue.reports.told] == ["delayed", "failed"]
    assert queue.disk.counts().recipients == 0
    queue.check()
    abandon(queue.disk)


def test_what_came_back_with_a_mended_database_goes_soon() -> None:
    queue = PlayedQueue()
    queue.accept("bob@example.net")
    id = queue.accept("bob@d1.example")
    assert queue.owed == []
    job = QueuedJob(id, queue.clock.now(), parse("alice@example.org"))
    new = NewJob(job, (owed(1, "bob@d1.example"),), MESSAGE)
    queue.run(queue.disk.accept(new))  # and not through the dispatcher
    queue.pass_time(2 * MINUTE)
    assert queue.owed == [(id, 1)]
    queue.disk.generations += 1
    queue.pass_time(2 * MINUTE)
    assert queue.owed == []
    queue.check()
