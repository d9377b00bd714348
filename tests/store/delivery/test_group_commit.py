"""Messages that come together are made durable together, and one that fails fails alone."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.ground import ALICE, BOB, NotedBlob, mail
from tests.contracts.meanwhile import TurningBlocking, TurningLane, together
from tests.store.delivery.inboxes import CAROL, Inboxes, message
from twisted_mail.mail.message import PIECE, MemoryBlob, Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.delivery import group_commit as module
from twisted_mail.store.delivery.group_commit import GroupCommit
from twisted_mail.store.disk.calls import Disk
from twisted_mail.testing.doubles import InlineBlocking, finish


def test_a_group_costs_two_syncs_whatever_it_holds(inboxes: Inboxes) -> None:
    answers = inboxes.deliver(
        ([ALICE, BOB, CAROL], message("one")), ([ALICE], message("two")), ([BOB], message("three"))
    )
    assert answers == [{ALICE: None, BOB: None, CAROL: None}, {ALICE: None}, {BOB: None}]
    assert inboxes.disk.syncs == ["all", "all"]
    assert inboxes.texts(ALICE) == [mail("one"), mail("two")]
    assert inboxes.texts(BOB) == [mail("one"), mail("three")]
    assert inboxes.left == []
    assert NotedBlob.closed == []


def test_nothing_is_visible_before_its_octets_are_on_disk(inboxes: Inboxes) -> None:
    inboxes.deliver(([ALICE], message("one")), ([BOB], message("two")))
    assert inboxes.disk.visible == [0, 2]


def test_a_large_message_goes_by_itself(inboxes: Inboxes) -> None:
    large = Message(MemoryBlob(b"x" * (PIECE + 1)))
    inboxes.deliver(([ALICE], large), ([BOB], message("one")), ([CAROL], message("two")))
    assert sorted(inboxes.disk.syncs) == ["all", "all", "file", "folder"]


@pytest.mark.parametrize("number", [0, 1])
def test_when_a_sync_fails_all_is_rolled_back(inboxes: Inboxes, number: int) -> None:
    inboxes.disk.failing["all"] = number
    answers = inboxes.deliver(([ALICE, BOB], message("one")), ([ALICE], message("two")))
    assert all(isinstance(error, Unavailable) for answer in answers for error in answer.values())
    assert [len(answer) for answer in answers] == [2, 1]
    assert (inboxes.texts(ALICE), inboxes.texts(BOB), inboxes.left) == ([], [], [])
    assert inboxes.deliver(([ALICE], message("one")), ([BOB], message("two"))) == [
        {ALICE: None},
        {BOB: None},
    ]


def test_while_somebody_else_keeps_the_disk_busy_messages_go_by_themselves(
    inboxes: Inboxes,
) -> None:
    two = [([ALICE], message("one")), ([BOB], message("two"))]
    inboxes.disk.seconds = lambda: finish(inboxes.clock.sleep(module.SLOW_SECONDS))
    inboxes.deliver(*two)
    inboxes.disk.seconds = lambda: None
    inboxes.disk.syncs.clear()
    inboxes.deliver(*two)
    assert inboxes.disk.syncs.count("all") == 0
    inboxes.clock.seconds += module.SLOW_PAUSE
    inboxes.disk.syncs.clear()
    inboxes.deliver(*two)
    assert inboxes.disk.syncs == ["all", "all"]


def test_messages_go_by_themselves_while_a_group_does_not_end(inboxes: Inboxes) -> None:
    answers: list[Any] = []

    def stall() -> None:
        inboxes.disk.seconds = lambda: None
        inboxes.clock.seconds += module.SLOW_SECONDS + 1
        answers.extend(inboxes.deliver(([CAROL], message("late")), ([CAROL], message("later"))))

    inboxes.disk.seconds = stall
    inboxes.deliver(([ALICE], message("one")), ([BOB], message("two")))
    assert answers == [{CAROL: None}] * 2
    assert inboxes.texts(CAROL) == [mail("late"), mail("later")]
    assert sorted(inboxes.disk.syncs) == ["all", "all", "file", "file", "folder", "folder"]


def test_a_file_system_that_keeps_no_promises_is_not_synced_as_one(
    inboxes: Inboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inboxes.disk, "is_syncfs_reliable", lambda fd: False)
    assert inboxes.deliver(([ALICE], message("one")), ([BOB], message("two"))) == [
        {ALICE: None},
        {BOB: None},
    ]
    assert "all" not in inboxes.disk.syncs


def test_a_group_takes_a_bounded_number_of_names(
    inboxes: Inboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_NAMES", 3)
    answers = inboxes.deliver(*[([ALICE, BOB], message(f"{n}")) for n in range(5)])
    assert answers == [{ALICE: None, BOB: None}] * 5
    assert len(inboxes.texts(ALICE)) == 5
    assert inboxes.disk.syncs.count("all") == 4


class BuggyBlob(NotedBlob):
    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        yield b"so far so good"
        raise ZeroDivisionError


def test_a_bug_is_raised_for_the_message_that_has_it(inboxes: Inboxes) -> None:
    ended = []

    async def watched(name: str, blob: MemoryBlob) -> None:
        try:
            ended.append(await inboxes.delivered([name], Message(blob)))
        except ZeroDivisionError:
            ended.append({name: None})
            raise Unavailable("a bug") from None

    results = together([watched(ALICE, BuggyBlob(b"buggy")), watched(BOB, NotedBlob(mail("one")))])
    assert isinstance(results[0], Unavailable)
    assert inboxes.texts(BOB) == [mail("one")]
    assert (inboxes.texts(ALICE), inboxes.left) == ([], [])
    assert NotedBlob.closed == []


def test_a_bug_of_the_group_is_raised_for_all(
    inboxes: Inboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "deliver_together", bug)
    ended = []

    async def watched(name: str) -> None:
        try:
            await inboxes.delivered([name], message(name))
        except ZeroDivisionError:
            ended.append(name)

    together([watched(ALICE), watched(BOB)])
    assert ended == [ALICE, BOB]
    assert NotedBlob.closed == []


def test_a_message_that_is_there_is_not_answered_as_refused(inboxes: Inboxes) -> None:
    """Its piece of work is refused when an earlier message's group has delivered it already."""

    class Refusing(TurningBlocking):
        def lane(self) -> Any:
            return RefusingLane()

    class RefusingLane(TurningLane):
        count = 0

        async def run(self, work: Any, *args: Any, **kwargs: Any) -> Any:
            self.count += 1
            number = self.count
            answer = await super().run(work, *args, **kwargs)
            if number == 2:
                raise Unavailable("Too busy, try again later")
            return answer

    inboxes.group_commit = GroupCommit(inboxes.environment, bytes(inboxes.root), Refusing())
    answers = inboxes.deliver(([ALICE], message("one")), ([BOB], message("two")))
    assert answers == [{ALICE: None}, {BOB: None}]


class BusyBlocking(InlineBlocking):
    """Takes no work that comes in a lane."""

    def lane(self) -> "BusyBlocking":
        return BusyLane()


class BusyLane(BusyBlocking):
    async def run(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        raise Unavailable("Too busy, try again later")


def test_when_no_thread_takes_the_work_nothing_of_it_stays(tmp_path: Path) -> None:
    inboxes = Inboxes(tmp_path, BusyBlocking())
    [answers] = inboxes.deliver(([ALICE], message("one")))
    assert isinstance(answers[ALICE], Unavailable)
    assert not inboxes.group_commit._gathered


def test_a_real_file_system_is_synced(tmp_path: Path) -> None:
    disk = Disk()
    fd = disk.open_folder(bytes(tmp_path))
    disk.sync_all(fd)
    disk.sync_all_verified(fd)
    assert disk.device(fd) == tmp_path.stat().st_dev
    assert disk.is_syncfs_reliable(fd) in (True, False)
    os.close(fd)
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        disk.sync_all(fd)
