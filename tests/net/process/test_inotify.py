import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from twisted_mail.interfaces import FolderEvent
from twisted_mail.net.process import inotify
from twisted_mail.net.process.inotify import BURST_SECONDS, PAUSE_SECONDS, Inotify
from twisted_mail.testing.recorded_log import ListJournal


class Reactor(Clock):
    """A still clock that keeps readers."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: set[Any] = set()

    def addReader(self, reader: Any) -> None:
        self.readers.add(reader)

    def removeReader(self, reader: Any) -> None:
        self.readers.discard(reader)


class Eye:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.seen: list[tuple[FolderEvent, bytes]] = []
        self.looks: list[int] = []
        self.is_interested = True
        self.error: Exception | None = None

    def on_event(self, folder: bytes, event: FolderEvent, name: bytes) -> bool:
        self.seen.append((event, name))
        return self.is_interested

    async def on_burst_end(self) -> None:
        self.looks.append(len(self.seen))
        if self.error is not None:
            raise self.error


@pytest.fixture
def reactor() -> Reactor:
    return Reactor()


@pytest.fixture
def monitor(reactor: Reactor) -> Any:
    found = Inotify(reactor, ListJournal())
    yield found
    found.close()


@pytest.fixture
def eye() -> Eye:
    return Eye()


def test_names_that_come_and_go_are_reported_in_order(
    monitor: Inotify, eye: Eye, tmp_path: Path
) -> None:
    monitor.watch(eye, [bytes(tmp_path)])
    (tmp_path / "a").touch()
    (tmp_path / "a").rename(tmp_path / "b\udcff")
    os.link(tmp_path / "b\udcff", tmp_path / "c")
    (tmp_path / "b\udcff").unlink()
    assert eye.seen == []
    monitor.catch_up()
    assert eye.seen == [
        (FolderEvent.CAME, b"a"),
        (FolderEvent.WRITTEN, b"a"),
        (FolderEvent.LEFT, b"a"),
        (FolderEvent.CAME, b"b\xff"),
        (FolderEvent.CAME, b"c"),
        (FolderEvent.DELETED, b"b\xff"),
    ]


def test_of_files_only_that_they_were_written_is_reported(
    monitor: Inotify, eye: Eye, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(b"text")
    monitor.watch(eye, [bytes(tmp_path)])
    assert (tmp_path / "a").read_bytes() == b"text"
    (tmp_path / "a").chmod(0o600)
    with (tmp_path / "a").open("ab", buffering=0) as file:
        file.write(b"more")
        monitor.catch_up()
        assert eye.seen == []
    monitor.catch_up()
    assert eye.seen == [(FolderEvent.WRITTEN, b"a")]


def test_a_touched_folder_is_reported(monitor: Inotify, eye: Eye, tmp_path: Path) -> None:
    monitor.watch(eye, [bytes(tmp_path)])
    tmp_path.chmod(tmp_path.stat().st_mode & 0o777)
    monitor.catch_up()
    assert eye.seen == [(FolderEvent.TOUCHED, b"")]


def test_a_burst_leads_to_one_look_when_it_is_over(
    monitor: Inotify, eye: Eye, reactor: Reactor, tmp_path: Path
) -> None:
    monitor.watch(eye, [bytes(tmp_path)])
    for number in range(3):
        (tmp_path / str(number)).touch()
    monitor.doRead()
    (tmp_path / "late").touch()
    assert eye.looks == []
    reactor.advance(BURST_SECONDS)
    assert eye.looks == [8]
    reactor.advance(1)
    assert eye.looks == [8]


def test_what_interests_nobody_leads_to_no_look(
    monitor: Inotify, eye: Eye, reactor: Reactor, tmp_path: Path
) -> None:
    eye.is_interested = False
    monitor.watch(eye, [bytes(tmp_path)])
    (tmp_path / "a").touch()
    monitor.doRead()
    assert reactor.getDelayedCalls() == []


def test_events_that_come_at_once_wake_the_reactor_once_in_a_while(
    monitor: Inotify, eye: Eye, reactor: Reactor, tmp_path: Path
) -> None:
    eye.is_interested = False
    monitor.watch(eye, [bytes(tmp_path)])
    for name in ("a", "b"):
        assert monitor in reactor.readers
        (tmp_path / name).touch()
        monitor.doRead()
    assert monitor not in reactor.readers
    for name in ("c", "d"):
        (tmp_path / name).touch()
        reactor.advance(PAUSE_SECONDS)
        assert eye.seen[-1] == (FolderEvent.WRITTEN, name.encode())
    assert monitor not in reactor.readers
    reactor.advance(PAUSE_SECONDS)
    assert monitor in reactor.readers


def test_events_that_come_now_and_then_are_read_at_once(
    monitor: Inotify, eye: Eye, reactor: Reactor, tmp_path: Path
) -> None:
    monitor.watch(eye, [bytes(tmp_path)])
    for name in ("a", "b"):
        (tmp_path / name).touch()
        monitor.doRead()
        reactor.advance(PAUSE_SECONDS)
        assert monitor in reactor.readers


def test_a_look_that_fails_is_noted_and_the_next_one_comes(
    monitor: Inotify, eye: Eye, reactor: Reactor, tmp_path: Path
) -> None:
    eye.error = ValueError("a bug")
    monitor.watch(eye, [bytes(tmp_path)])
    for name in ("a", "b"):
        (tmp_path / name).touch()
        monitor.doRead()
        reactor.advance(BURST_SECONDS)
    assert eye.looks == [2, 4]


def test_a_folder_that_is_removed_ends_no_other_watch(
    monitor: Inotify, eye: Eye, tmp_path: Path
) -> None:
    doomed, other = tmp_path / "doomed", tmp_path / "other"
    doomed.mkdir()
    other.mkdir()
    end = monitor.watch(eye, [bytes(doomed), bytes(other)])
    doomed.rmdir()
    (other / "a").touch()
    monitor.catch_up()
    assert eye.seen[0] == (FolderEvent.LOST, b"")
    assert eye.seen[-1] == (FolderEvent.WRITTEN, b"a")
    assert end is not None
    end()
    end()


def test_a_watch_that_ended_reports_nothing(
    monitor: Inotify, eye: Eye, reactor: Reactor, tmp_path: Path
) -> None:
    end = monitor.watch(eye, [bytes(tmp_path)])
    (tmp_path / "a").touch()
    monitor.doRead()
    assert end is not None
    end()
    (tmp_path / "b").touch()
    reactor.advance(1)
    assert eye.seen == [(FolderEvent.CAME, b"a"), (FolderEvent.WRITTEN, b"a")]
    assert eye.looks == []


def test_two_observers_of_one_folder_both_hear(monitor: Inotify, tmp_path: Path) -> None:
    one, other = Eye(), Eye()
    end = monitor.watch(one, [bytes(tmp_path)])
    monitor.watch(other, [bytes(tmp_path)])
    (tmp_path / "a").touch()
    monitor.catch_up()
    assert end is not None
    end()
    (tmp_path / "b").touch()
    monitor.catch_up()
    assert len(one.seen) == 2
    assert len(other.seen) == 4


def test_events_that_the_kernel_dropped_are_reported_to_all(
    monitor: Inotify, eye: Eye, tmp_path: Path
) -> None:
    monitor.watch(eye, [bytes(tmp_path)])
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    for number in range(most // 3 + 10):
        name = tmp_path / str(number)
        name.touch()
        name.unlink()
    monitor.catch_up()
    assert eye.seen[-1] == (FolderEvent.LOST, b"")


def test_watches_have_a_limit(reactor: Reactor, eye: Eye, tmp_path: Path) -> None:
    monitor = Inotify(reactor, ListJournal(), max_watches=2)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    end = monitor.watch(eye, [bytes(tmp_path), bytes(tmp_path / "a")])
    assert end is not None
    assert monitor.watch(eye, [bytes(tmp_path / "b")]) is None
    end()
    assert monitor.watch(eye, [bytes(tmp_path / "b")]) is not None
    monitor.close()


def test_all_folders_are_watched_or_none(monitor: Inotify, eye: Eye, tmp_path: Path) -> None:
    assert monitor.watch(eye, [bytes(tmp_path), bytes(tmp_path / "absent")]) is None
    (tmp_path / "a").touch()
    monitor.catch_up()
    assert eye.seen == []


def _fail(*_: object) -> int:
    raise OSError(errno.EMFILE, "")


@pytest.mark.parametrize(
    ("name", "call"), [("init", _fail), ("add", _fail), ("kind", lambda _, path: 0x6969)]
)
def test_where_it_cannot_be_had_nothing_is_watched(
    monitor: Inotify,
    eye: Eye,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    call: Callable[..., int],
) -> None:
    monkeypatch.setattr(inotify._InotifyCalls, name, call)
    assert monitor.watch(eye, [bytes(tmp_path)]) is None
    monitor.catch_up()
    monitor.doRead()


def test_closing_ends_all(monitor: Inotify, eye: Eye, reactor: Reactor, tmp_path: Path) -> None:
    end = monitor.watch(eye, [bytes(tmp_path)])
    for name in ("a", "b"):  # after the second one the reactor pauses
        (tmp_path / name).touch()
        monitor.doRead()
    monitor.close()
    reactor.advance(1)
    assert eye.looks == []
    assert not reactor.readers
    assert monitor.watch(eye, [bytes(tmp_path)]) is None
    assert end is not None
    end()
