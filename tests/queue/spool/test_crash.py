"""The promise of docs/queue.md, with the process, the power or a call gone at every step of a story."""

import errno
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from tests.contracts.spool import new_job
from tests.faults import PowerDisk, QuickDisk, Stopped
from tests.queue.spool.power_vfs import PowerVfs
from tests.queue.spool.spools import abandon, make_spool, start_spool
from tests.queue.spool.story import IDS, INLINE, State, found, story
from twisted_mail.interfaces import SpoolChange
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.queue.spool import upkeep
from twisted_mail.testing.doubles import finish


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "LOGGED", 0)  # each tending makes a checkpoint
    monkeypatch.setattr("twisted_mail.queue.spool.room.BALLAST", 64 * 1024)


def play(folder: Path, stop_at: int, seed: int | None) -> tuple[int, State, State] | None:
    """Play the story up to a step and cut the power; return the chapter, and what it may leave.

    None: the story has fewer steps.
    """
    folder.mkdir()
    disk = PowerDisk(stop_at, folder / "attic")
    vfs = PowerVfs(f"power-{folder.name}", lambda name: disk.step(name))
    spool = make_spool(folder / "queue", disk, inline=INLINE, vfs=vfs.name, fresh=0)
    before: State = {}
    chapters = story(disk, folder)
    number = 0
    try:
        finish(spool.start())
        for chapter in chapters:
            number += 1
            finish(chapter.act(spool))
            before = chapter.state
        return None
    except (Stopped, Unavailable, apsw.Error, OSError):
        assert len(disk.done) >= stop_at, "nothing was stopped"
    finally:
        vfs.is_stopped = True
        abandon(spool)
    vfs.cut(seed)
    disk.cut()
    return number, before, chapters[max(number - 1, 0)].state


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_the_power_may_go_at_any_step(tmp_path: Path, seed: int | None, record_property):
    steps = 0
    while (played := play(tmp_path / str(steps), steps, seed)) is not None:
        number, before, after = played
        folder = tmp_path / str(steps) / "queue"
        spool = start_spool(folder, QuickDisk(), inline=INLINE)
        state = found(spool, IDS)
        assert state in (before, after), (steps, number)
        needed = {id for id, (_, message) in state.items() if len(message) > INLINE + 100}
        assert {path.name for path in (folder / "bodies").iterdir()} == needed
        finish(spool.close())
        steps += 1
    assert steps > 100
    record_property("faults", steps)


def failing(fail_at: int, error: type[apsw.Error]) -> Iterator[None]:
    left = fail_at
    while left:
        left -= 1
        yield
    raise error("as told")


@pytest.mark.parametrize("error", [apsw.FullError, apsw.IOError])
def test_any_call_of_the_database_may_fail_once(
    tmp_path: Path, error: type[apsw.Error], record_property
):
    steps = 0
    while True:
        folder = tmp_path / str(steps)
        folder.mkdir()
        calls = iter(range(steps))
        state = {"failed": False}

        def step(name: str, calls=calls, state=state) -> None:
            if not state["failed"] and next(calls, None) is None:
                state["failed"] = True
                raise error("as told")

        vfs = PowerVfs(f"failing-{error.__name__}-{steps}", step)
        disk = QuickDisk()
        spool = make_spool(folder / "queue", disk, inline=INLINE, vfs=vfs.name, fresh=0)
        possible = play_failing(spool, story(disk, folder))
        abandon(spool)
        if not state["failed"]:
            break
        if possible is not None:
            again = start_spool(folder / "queue", QuickDisk(), inline=INLINE)
            assert found(again, IDS) in possible, steps
            finish(again.close())
        steps += 1
    assert steps > 60
    record_property("faults", steps)


def play_failing(spool, chapters) -> list[State] | None:
    """Play the story until a chapter fails; nothing of that one is there then. None: no start."""
    state: State = {}
    try:
        finish(spool.start())
    except (Unavailable, apsw.Error):
        return None
    for chapter in chapters:
        try:
            finish(chapter.act(spool))
        except (Unavailable, apsw.Error):
            with suppress(Unavailable):
                assert found(spool, IDS) == state
            return [state]
        state = chapter.state
    return [state]


def test_a_full_disk_refuses_mail_and_notes_what_was_delivered(tmp_path: Path):
    """The ballast is given up for that."""
    full = {"is_full": False, "left": 0}

    def step(name: str) -> None:
        if full["is_full"] and name == "sqlite write" and (folder / "ballast").exists():
            raise apsw.FullError("as told")

    folder = tmp_path / "queue"
    vfs = PowerVfs("full", step)
    faults = []
    spool = start_spool(
        folder,
        QuickDisk(),
        vfs=vfs.name,
        report_fault=lambda where, error: faults.append(error),
    )
    finish(spool.accept(new_job("a")))
    finish(spool.tend())
    assert (folder / "ballast").exists()
    full["is_full"] = True
    with pytest.raises(Unavailable) as caught:
        finish(spool.accept(new_job("b")))
    assert caught.value.outcome.code == 452
    (folder / "ballast").write_bytes(b"x" * 1000)
    finish(spool.apply(SpoolChange(gone=[("a", 1)])))
    assert not (folder / "ballast").exists()
    assert spool.counts().jobs == 0
    assert all(isinstance(error, apsw.FullError) for error in faults)
    finish(spool.close())


def test_no_body_is_half_written_when_the_disk_is_full(tmp_path: Path):
    class FullDisk(QuickDisk):
        def write(self, fd: int, data: bytes | bytearray) -> None:
            raise OSError(errno.ENOSPC, "as told")

    spool = start_spool(tmp_path, FullDisk(), inline=10)
    with pytest.raises(Unavailable) as caught:
        finish(spool.accept(new_job("a")))
    assert caught.value.outcome.code == 452
    assert spool.counts().jobs == 0
    assert not list((tmp_path / "bodies").iterdir())
    finish(spool.close())
