"""Messages that come together are made durable together, and one that fails fails alone."""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.ground import ALICE, BOB, BrokenBlob, NotedBlob, mail
from tests.contracts.meanwhile import TurningBlocking, TurningLane, together
from tests.faults import QuickDisk
from twisted_mail.interfaces import Blocking
from twisted_mail.mail.message import PIECE, MemoryBlob, Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.delivery import group_commit as room
from twisted_mail.store.delivery.group_commit import GroupCommit
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.environment import StoreEnvironment
from twisted_mail.store.format.filename import Namer
from twisted_mail.store.settings import StoreSettings
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

CAROL = "carol@example.org"


class WatchedDisk(QuickDisk):
    """Notes its syncs, and what is in the folders ``new`` at each; fails those it is told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.syncs: list[str] = []
        self.visible: list[int] = []  # at each sync of all
        self.failing: dict[str, int] = {}  # which of them, counted from 0
        self.seconds: Callable[[], object] = lambda: None
        self.elsewhere: bytes | None = None  # files below are on another file system
        self.paths: dict[int, bytes] = {}

    def create(self, path: bytes) -> int:
        fd = super().create(path)
        self.paths[fd] = path
        return fd

    def device(self, fd: int) -> int:
        path = self.paths.get(fd, b"")
        return 2 if self.elsewhere is not None and self.elsewhere in path else 1

    def _sync(self, name: str) -> None:
        number = self.syncs.count(name)
        self.syncs.append(name)
        if self.failing.get(name) == number:
            raise OSError(errno.EIO, "as told")

    def sync_file(self, fd: int) -> None:
        self._sync("file")

    def sync_folder(self, path: bytes) -> None:
        self._sync("folder")

    def sync_all_verified(self, fd: int) -> None:
        self.sync_all(fd)

    def sync_all(self, fd: int) -> None:
        self.visible.append(len(list(self.root.glob("*/*/Maildir/new/*"))))
        self.seconds()
        self._sync("all")


class Place:
    """Rounds in a folder, with maildirs that are there already."""

    def __init__(self, root: Path, blocking: Blocking) -> None:
        self.root = root
        self.disk = WatchedDisk(root)
        self.clock = StillClock(2e9)
        self.ground = StoreEnvironment(
            self.disk, self.clock, Namer("host"), "boot", StoreSettings()
        )
        self.rounds = GroupCommit(self.ground, bytes(root), blocking)
        self._make_maildirs()

    def _make_maildirs(self) -> None:
        for name in (ALICE, BOB, CAROL):
            local, _, domain = name.partition("@")
            for place in ("cur", "new", "tmp"):
                (self.root / domain / local / "Maildir" / place).mkdir(parents=True)

    def deliver(self, *deliveries: tuple[Sequence[str], Message]) -> list[Any]:
        """Deliver at once; the round takes what has gathered when its turn comes."""
        coroutines = [self.rounds.deliver(names, message) for names, message in deliveries]
        return together(coroutines)

    def texts(self, name: str) -> list[bytes]:
        local, _, domain = name.partition("@")
        new = self.root / domain / local / "Maildir" / "new"
        return sorted(path.read_bytes() for path in new.iterdir())

    @property
    def left(self) -> list[Path]:
        return list(self.root.glob("*/*/Maildir/tmp/*"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    NotedBlob.closed.clear()
    return Place(tmp_path, TurningBlocking())


def message(text: str) -> Message:
    return Message(NotedBlob(mail(text)))


def test_a_round_costs_two_syncs_whatever_it_holds(place: Place) -> None:
    answers = place.deliver(
        ([ALICE, BOB, CAROL], message("one")), ([ALICE], message("two")), ([BOB], message("three"))
    )
    assert answers == [{ALICE: None, BOB: None, CAROL: None}, {ALICE: None}, {BOB: None}]
    assert place.disk.syncs == ["all", "all"]
    assert place.texts(ALICE) == [mail("one"), mail("two")]
    assert place.texts(BOB) == [mail("one"), mail("three")]
    assert place.left == []
    assert sorted(NotedBlob.closed) == sorted([mail("one"), mail("two"), mail("three")])


def test_nothing_is_visible_before_its_octets_are_on_disk(place: Place) -> None:
    place.deliver(([ALICE], message("one")), ([BOB], message("two")))
    assert place.disk.visible == [0, 2]


def test_copies_of_one_message_share_its_octets(place: Place) -> None:
    place.deliver(([ALICE, BOB], message("one")), ([CAROL], message("two")))
    found = [*place.root.glob("*/alice/Maildir/new/*"), *place.root.glob("*/bob/Maildir/new/*")]
    assert len({path.stat().st_ino for path in found}) == 1


def test_a_message_alone_syncs_its_file_and_its_folder(place: Place) -> None:
    assert place.deliver(([ALICE], message("one"))) == [{ALICE: None}]
    assert place.disk.syncs == ["file", "folder"]
    assert NotedBlob.closed == [mail("one")]


def test_a_large_message_goes_by_itself(place: Place) -> None:
    large = Message(MemoryBlob(b"x" * (PIECE + 1)))
    place.deliver(([ALICE], large), ([BOB], message("one")), ([CAROL], message("two")))
    assert sorted(place.disk.syncs) == ["all", "all", "file", "folder"]


def test_a_message_that_cannot_be_read_keeps_nobody_from_theirs(place: Place) -> None:
    broken = Message(BrokenBlob(b"broken"))
    [failed, done] = place.deliver(([ALICE, BOB], broken), ([ALICE], message("one")))
    assert {name: type(error) for name, error in failed.items()} == {
        ALICE: Unavailable,
        BOB: Unavailable,
    }
    assert done == {ALICE: None}
    assert place.texts(ALICE) == [mail("one")]
    assert place.left == []


def test_an_account_without_a_maildir_gets_one(place: Place) -> None:
    answers = place.deliver((["dora@example.org"], message("one")), ([ALICE], message("two")))
    assert answers == [{"dora@example.org": None}, {ALICE: None}]
    assert place.texts("dora@example.org") == [mail("one")]


@pytest.mark.parametrize("number", [0, 1])
def test_when_a_sync_fails_all_is_taken_back(place: Place, number: int) -> None:
    place.disk.failing["all"] = number
    answers = place.deliver(([ALICE, BOB], message("one")), ([ALICE], message("two")))
    assert all(isinstance(error, Unavailable) for answer in answers for error in answer.values())
    assert [len(answer) for answer in answers] == [2, 1]
    assert (place.texts(ALICE), place.texts(BOB), place.left) == ([], [], [])
    assert place.deliver(([ALICE], message("one")), ([BOB], message("two"))) == [
        {ALICE: None},
        {BOB: None},
    ]


def test_a_file_on_another_file_system_is_synced_by_itself(place: Place) -> None:
    place.disk.elsewhere = b"/alice/"
    place.disk.failing["all"] = 1
    [one, two] = place.deliver(([ALICE, BOB], message("one")), ([CAROL], message("two")))
    assert place.disk.syncs == ["file", "all", "all", "folder", "folder"]
    assert one == {ALICE: None, BOB: None}
    assert isinstance(two[CAROL], Unavailable)


def test_a_copy_where_no_link_can_be_is_synced_by_itself(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(path: bytes, new_path: bytes) -> None:
        raise OSError(errno.EXDEV, "another mount")

    monkeypatch.setattr(place.disk, "link", no_links)
    answers = place.deliver(([ALICE, BOB], message("one")), ([CAROL], message("two")))
    assert answers == [{ALICE: None, BOB: None}, {CAROL: None}]
    assert place.texts(BOB) == [mail("one")]
    assert place.disk.syncs == ["all", "file", "all", "folder"]
    assert place.left == []


def test_a_file_that_failed_elsewhere_relies_on_the_sync_of_all(place: Place) -> None:
    """Written in alice's tmp on another file system in vain, and then in bob's on the store's."""
    place.disk.elsewhere = b"/alice/"
    place.disk.failing |= {"file": 0, "all": 0}
    [one, two] = place.deliver(([ALICE, BOB], message("one")), ([CAROL], message("two")))
    errors = [one[ALICE], one[BOB], two[CAROL]]
    assert [type(error) for error in errors] == [Unavailable] * 3
    assert (place.texts(BOB), place.left) == ([], [])


def test_where_every_message_is_elsewhere_nothing_is_synced_for_all(place: Place) -> None:
    place.disk.elsewhere = b"Maildir"
    assert place.deliver(([ALICE], message("one")), ([BOB], message("two"))) == [
        {ALICE: None},
        {BOB: None},
    ]
    assert "all" not in place.disk.syncs


def test_a_copy_that_gets_no_name_does_not_stay(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(path: bytes, new_path: bytes) -> None:
        raise OSError(errno.EXDEV, "another mount")

    def no_names(path: bytes, new_path: bytes) -> None:
        raise OSError(errno.EDQUOT, "as told")

    monkeypatch.setattr(place.disk, "link", no_links)
    monkeypatch.setattr(place.disk, "rename", no_names)
    [answers] = place.deliver(([ALICE, BOB], message("one")))
    assert all(isinstance(error, Unavailable) for error in answers.values())
    assert place.left == []


def test_while_somebody_else_keeps_the_disk_busy_messages_go_by_themselves(place: Place) -> None:
    two = [([ALICE], message("one")), ([BOB], message("two"))]
    place.disk.seconds = lambda: finish(place.clock.sleep(room.SLOW_SECONDS))
    place.deliver(*two)
    place.disk.seconds = lambda: None
    place.disk.syncs.clear()
    place.deliver(*two)
    assert place.disk.syncs.count("all") == 0
    place.clock.seconds += room.SLOW_PAUSE
    place.disk.syncs.clear()
    place.deliver(*two)
    assert place.disk.syncs == ["all", "all"]


def test_a_file_system_that_keeps_no_promises_is_not_synced_as_one(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place.disk, "is_syncfs_reliable", lambda fd: False)
    assert place.deliver(([ALICE], message("one")), ([BOB], message("two"))) == [
        {ALICE: None},
        {BOB: None},
    ]
    assert "all" not in place.disk.syncs


def test_a_round_takes_a_bounded_number_of_names(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_NAMES", 3)
    answers = place.deliver(*[([ALICE, BOB], message(f"{n}")) for n in range(5)])
    assert answers == [{ALICE: None, BOB: None}] * 5
    assert len(place.texts(ALICE)) == 5
    assert place.disk.syncs.count("all") == 4


class BuggyBlob(NotedBlob):
    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        yield b"so far so good"
        raise ZeroDivisionError


def test_a_bug_is_told_to_the_one_that_has_it(place: Place) -> None:
    ended = []

    async def watched(name: str, blob: MemoryBlob) -> None:
        try:
            ended.append(await place.rounds.deliver([name], Message(blob)))
        except ZeroDivisionError:
            ended.append({name: None})
            raise Unavailable("a bug") from None

    results = together([watched(ALICE, BuggyBlob(b"buggy")), watched(BOB, NotedBlob(mail("one")))])
    assert isinstance(results[0], Unavailable)
    assert place.texts(BOB) == [mail("one")]
    assert (place.texts(ALICE), place.left) == ([], [])
    assert sorted(NotedBlob.closed) == sorted([b"buggy", mail("one")])


def test_a_bug_of_the_round_is_told_to_all(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(room, "deliver_together", bug)
    ended = []

    async def watched(name: str) -> None:
        try:
            await place.rounds.deliver([name], message(name))
        except ZeroDivisionError:
            ended.append(name)

    together([watched(ALICE), watched(BOB)])
    assert ended == [ALICE, BOB]
    assert sorted(NotedBlob.closed) == [mail(ALICE), mail(BOB)]


def test_nobody_is_told_that_a_message_was_refused_which_is_there(place: Place) -> None:
    """Its piece of work is refused when an earlier message's round has delivered it already."""

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

    place.rounds = GroupCommit(place.ground, bytes(place.root), Refusing())
    answers = place.deliver(([ALICE], message("one")), ([BOB], message("two")))
    assert answers == [{ALICE: None}, {BOB: None}]


def test_a_message_for_nobody_is_delivered_at_once(place: Place) -> None:
    [answers] = place.deliver(([], message("one")))
    assert answers == {}
    assert NotedBlob.closed == [mail("one")]


class BusyBlocking(InlineBlocking):
    """Takes no work that comes in a lane."""

    def lane(self) -> "BusyBlocking":
        return BusyLane()


class BusyLane(BusyBlocking):
    async def run(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        raise Unavailable("Too busy, try again later")


def test_when_no_thread_takes_the_work_nothing_of_it_stays(tmp_path: Path) -> None:
    NotedBlob.closed.clear()
    place = Place(tmp_path, BusyBlocking())
    [answers] = place.deliver(([ALICE], message("one")))
    assert isinstance(answers[ALICE], Unavailable)
    assert NotedBlob.closed == [mail("one")]
    assert not place.rounds._gathered


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
