"""What gathers is committed together; what is wrong with one piece is no other's affair."""

import errno
from pathlib import Path
from typing import Any

import apsw
import pytest
from twisted.internet.defer import Deferred

from tests.contracts.spool import BODY, new_job, owed
from tests.faults import QuickDisk
from tests.queue.spool.spools import abandon, make_spool, start_spool
from twisted_mail.interfaces import SpoolChange, SpoolCounts
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.job import NewJob
from twisted_mail.net.process.lane import Lane, Turn
from twisted_mail.queue.spool.bodies import BodyFolder
from twisted_mail.queue.spool.database import open_database
from twisted_mail.queue.spool.disk_spool import DiskJobSpool
from twisted_mail.queue.spool.schema import VERSION, SpoolUnusable
from twisted_mail.queue.spool.writing_lane import OPENING_SECONDS
from twisted_mail.testing.clock import ServerClock, ServerTime
from twisted_mail.testing.doubles import InlineBlocking, finish


class LateLane:
    """Puts a spool's writing into a lane whose turns a test runs."""

    def __init__(self, spool: DiskJobSpool) -> None:
        self.turns: list[Turn] = []
        self.is_full = False
        spool._writing._groups._lane = Lane(self.submit)
        self.results: list[Any] = []

    def submit(self, turn: Turn) -> None:
        if self.is_full:
            raise Unavailable("Too busy")
        self.turns.append(turn)

    def start(self, coroutine: Any) -> None:
        Deferred.fromCoroutine(coroutine).addBoth(self.note)

    def note(self, result: Any) -> None:
        self.results.append(getattr(result, "value", result))

    def work(self) -> None:
        while self.turns:
            turn = self.turns.pop(0)
            turn.work()
            turn.finish()


@pytest.fixture
def spool(tmp_path: Path):
    spool = start_spool(tmp_path / "queue", QuickDisk())
    yield spool
    finish(spool.close())


def commits(spool: DiskJobSpool) -> list[int]:
    """Return a list that gets an item for each commit."""
    seen: list[int] = []
    connection = spool._writing._groups.connection
    connection.set_commit_hook(lambda: seen.append(1) or False)
    return seen


def test_what_gathers_is_one_commit(spool: DiskJobSpool):
    lane, seen = LateLane(spool), commits(spool)
    for number in range(20):
        lane.start(spool.accept(new_job(f"job{number}")))
    lane.start(spool.apply(SpoolChange(gone=[("job1", 1)])))
    lane.work()
    assert lane.results == [None] * 21
    assert spool.counts() == SpoolCounts(19, 19)
    assert seen == [1]


def test_one_that_cannot_be_written_fails_alone(spool: DiskJobSpool):
    class BrokenBlob(MemoryBlob):
        def pieces(self, start: int = 0, stop: int | None = None):
            raise OSError("as told")

    lane = LateLane(spool)
    broken = NewJob(new_job("broken").job, (owed(),), Message(BrokenBlob(BODY)))
    nan = new_job("nan", owed(due=float("nan")))  # a bug
    for new in (new_job("a"), new_job("b"), new_job("b"), broken, nan, new_job("c")):
        lane.start(spool.accept(new))
    lane.work()
    kinds = [type(result) for result in lane.results]
    assert kinds[:4] == [type(None), type(None), Unavailable, Unavailable]
    assert isinstance(lane.results[4], Exception)
    assert kinds[5] is type(None)
    assert spool.counts() == SpoolCounts(3, 3)


def test_a_lane_that_is_full_refuses_and_writes_nothing_later(spool: DiskJobSpool):
    lane = LateLane(spool)
    lane.is_full = True
    lane.start(spool.accept(new_job("a")))
    assert isinstance(lane.results[0], Unavailable)
    lane.is_full = False
    lane.start(spool.accept(new_job("b")))
    lane.work()
    assert spool.counts() == SpoolCounts(1, 1)


def test_a_queue_of_a_newer_program_is_refused_in_one_line(tmp_path: Path):
    finish(start_spool(tmp_path).close())
    connection = apsw.Connection(str(tmp_path / "queue.sqlite3"))
    connection.pragma("user_version", VERSION + 1)
    connection.close()
    for _ in range(2):
        with pytest.raises(SpoolUnusable, match=f"has version {VERSION + 1}, .* newer"):
            start_spool(tmp_path)


def test_all_new_jobs_are_in_memory_for_their_first_attempt(spool: DiskJobSpool):
    finish(spool.accept(new_job("accepted")))
    finish(spool.apply(SpoolChange(new=[new_job("report")])))
    finish(spool.prepare(new_job("prepared")))
    finish(spool.keep("prepared", (), [new_job("failed")]))
    inline, spool._reading._lane = spool._reading._lane, Lane(LateLane(spool).submit)
    for id in ("accepted", "report", "prepared", "failed"):
        assert finish(spool.load(id, [1])) is not None  # without waiting
    spool._reading._lane = inline


def test_nobody_else_may_read_the_files(tmp_path: Path):
    spool = start_spool(tmp_path / "queue", inline=1)
    finish(spool.accept(new_job("a")))
    files = [path for path in (tmp_path / "queue").rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"queue.sqlite3", "queue.sqlite3-wal", "lock", "a"}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert (tmp_path / "queue").stat().st_mode & 0o777 == 0o700
    finish(spool.close())


def test_a_queue_belongs_to_one_server(tmp_path: Path):
    spool = start_spool(tmp_path)
    with pytest.raises(SpoolUnusable, match="another server"):
        start_spool(tmp_path)
    finish(spool.close())
    finish(start_spool(tmp_path).close())


def test_another_process_may_write_a_word_meanwhile(tmp_path: Path):
    spool = start_spool(tmp_path)
    database = open_database(str(tmp_path))
    with database.transaction() as connection:
        connection.execute("INSERT INTO words (word, given_at) VALUES ('retry', 1.0)")
    database.close()
    finish(spool.accept(new_job("a")))
    finish(spool.apply(SpoolChange(answered=[(1, "done")])))
    rows = finish(spool.query(_words))
    assert rows == [("retry", "done")]
    finish(spool.close())


def _words(connection: apsw.Connection) -> list[Any]:
    return connection.execute("SELECT word, result FROM words").fetchall()


def test_damage_is_held_and_reported_and_never_returned(tmp_path: Path):
    faults: list[str] = []
    spool = start_spool(tmp_path, fresh=0, report_fault=lambda where, _: faults.append(where))
    for id in ("body", "envelope", "recipient"):
        finish(spool.accept(new_job(id, owed(1), owed(2))))
    database = open_database(str(tmp_path))
    with database.transaction() as connection:
        for change in (
            "bodies SET body = x'00' WHERE job = 1",
            "jobs SET envelope = x'00' WHERE id = 'envelope'",
            "recipients SET recipient = x'00' WHERE job = 3 AND number = 1",
        ):
            connection.execute(f"UPDATE {change}")
    database.close()
    for id, whole in (("body", None), ("envelope", None), ("recipient", [2])):
        loaded = finish(spool.load(id, [1, 2]))
        assert (loaded and [one.number for one in loaded.recipients]) == whole
        assert id in faults[-1]
    assert [one.waiting for one in finish(spool.destinations())] == [1]
    assert len(faults) == 3
    assert spool.counts() == SpoolCounts(3, 6)
    finish(spool.close())


def test_a_large_body_that_is_gone_is_damage(tmp_path: Path):
    faults: list[str] = []
    spool = start_spool(
        tmp_path, fresh=0, inline=1, report_fault=lambda where, _: faults.append(where)
    )
    finish(spool.accept(new_job("a")))
    (tmp_path / "bodies" / "a").unlink()
    assert finish(spool.load("a", [1])) is None
    assert finish(spool.load("a", [1])) is None
    assert len(faults) == 1
    finish(spool.close())


def test_a_large_body_that_cannot_be_read_now_is_no_damage(tmp_path: Path, monkeypatch):
    faults: list[str] = []
    spool = start_spool(
        tmp_path, fresh=0, inline=1, report_fault=lambda where, _: faults.append(where)
    )
    finish(spool.accept(new_job("a")))
    with monkeypatch.context() as patch:
        patch.setattr(BodyFolder, "read", fail)
        with pytest.raises(Unavailable):
            finish(spool.load("a", [1]))
    assert "job a" in faults[-1]
    assert finish(spool.load("a", [1])) is not None
    finish(spool.close())


def fail(*_: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_after_an_unclean_end_all_is_checked_and_mended_once_the_queue_runs(tmp_path: Path):
    faults: list[str] = []
    spool = start_spool(tmp_path, fresh=0)
    for number in range(200):
        finish(spool.accept(new_job(f"job{number:03}")))
    finish(spool.close())
    path = tmp_path / "queue.sqlite3"
    data = path.read_bytes()
    leaves = [at for at in range(0, len(data), 4096) if data[at] == 13]
    at = next(at for at in leaves if b"job050" in data[at : at + 4096])
    spool = start_spool(tmp_path)
    finish(
        spool.accept(new_job("last"))
    )  # is in the log: the process ends before it is in its place
    abandon(spool, is_killed=True)
    with open(path, "r+b") as file:
        file.seek(at + 8)
        file.write(b"\xff" * 20)  # what no start looks at
    spool = start_spool(tmp_path, report_fault=lambda _, error: faults.append(str(error)))
    finish(spool.tend())
    assert "came back" in faults[-1]
    assert 150 < spool.counts().jobs <= 201
    finish(spool.tend())
    assert len(faults) == 2
    finish(spool.close())


def test_the_log_begins_anew_though_mail_comes_all_the_time(tmp_path: Path, monkeypatch):
    async def nothing(*_: Any) -> None:
        """Do as a checkpoint that never reaches the end of the log."""

    monkeypatch.setattr("twisted_mail.queue.spool.upkeep.LOGGED", 50)
    monkeypatch.setattr("twisted_mail.queue.spool.upkeep.LOG_MOST", 100)
    spool = start_spool(tmp_path, QuickDisk())
    monkeypatch.setattr(spool._upkeep._second, "run", nothing)
    most = 0
    for number in range(300):
        finish(spool.accept(new_job(f"job{number}")))
        if number % 5 == 0:
            finish(spool.tend())
        most = max(most, spool._writing.logged)
    assert 100 < most < 250
    assert spool._writing.logged < most
    finish(spool.close())


def test_a_backlog_gives_its_room_back_in_small_steps(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("twisted_mail.queue.spool.upkeep.FREE_PAGES", 20)
    monkeypatch.setattr("twisted_mail.queue.spool.upkeep.STEP", 50)
    monkeypatch.setattr("twisted_mail.queue.spool.upkeep.LOGGED", 0)
    spool = start_spool(tmp_path, QuickDisk(), fresh=0)
    for number in range(100):
        finish(spool.accept(new_job(f"job{number}", body=b"x" * 20_000)))
    finish(spool.tend())
    full = (tmp_path / "queue.sqlite3").stat().st_size
    gone = [(f"job{number}", 1) for number in range(100)]
    finish(spool.apply(SpoolChange(gone=gone)))
    sizes = []
    for _ in range(20):
        finish(spool.tend())
        sizes.append((tmp_path / "queue.sqlite3").stat().st_size)
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) > 5
    assert sizes[-1] < full / 5
    finish(spool.close())


class LateStart:
    """Does blocking work when the test lets it begin. Fulfils ``interfaces.Blocking``."""

    is_idle = False

    def __init__(self) -> None:
        self.begun: Deferred[None] = Deferred()

    async def run(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        if not self.begun.called:
            await self.begun
        return work(*args, **kwargs)

    def lane(self) -> InlineBlocking:
        return InlineBlocking()


def opening_spool(folder: Path, threads: LateStart) -> tuple[DiskJobSpool, ServerTime, list[Any]]:
    """Return a spool that is being opened, its time, and the list of what its first job got."""
    time = ServerTime()
    spool = make_spool(folder, QuickDisk(), blocking=threads, clock=ServerClock(time))
    Deferred.fromCoroutine(spool.start()).addErrback(lambda _: None)
    results: list[Any] = []
    early = Deferred.fromCoroutine(spool.accept(new_job("early")))
    early.addBoth(lambda result: results.append(getattr(result, "value", result)))
    return spool, time, results


def test_what_comes_while_the_queue_is_opened_waits_for_that(tmp_path: Path):
    threads = LateStart()
    spool, time, results = opening_spool(tmp_path / "queue", threads)
    time.advance(OPENING_SECONDS / 2)
    assert results == []
    threads.begun.callback(None)
    time.advance(1)
    assert results == [None]
    assert spool.counts() == SpoolCounts(1, 1)
    finish(spool.close())


def test_what_comes_does_not_wait_for_ever(tmp_path: Path):
    _, time, results = opening_spool(tmp_path / "queue", LateStart())
    for _ in range(int(OPENING_SECONDS) + 1):
        time.advance(1)
    [refusal] = results
    assert isinstance(refusal, Unavailable)


def test_what_comes_before_the_start_is_refused(tmp_path: Path):
    with pytest.raises(Unavailable):
        finish(make_spool(tmp_path / "queue").accept(new_job("early")))


# ---------------------------------------------------------------- files of large bodies

LARGE = bytes(range(250)) * 400


def read_back(spool: DiskJobSpool, id: str) -> bytes:
    loaded = finish(spool.read(id))
    assert loaded is not None
    return loaded.message.read()


def test_what_an_acceptance_that_failed_left_behind_is_in_nobodys_way(tmp_path: Path):
    spool = start_spool(tmp_path, QuickDisk(), fresh=0)
    (tmp_path / "bodies" / "a").write_bytes(b"half a mess")
    finish(spool.accept(new_job("a", body=LARGE)))
    assert read_back(spool, "a").endswith(LARGE)
    finish(spool.close())


def test_a_file_that_could_not_be_removed_is_written_anew(tmp_path: Path):
    class StubbornDisk(QuickDisk):
        is_stubborn = True

        def unlink(self, path: bytes) -> None:
            if self.is_stubborn and b"bodies" in path:
                raise OSError(errno.EIO, "as told")
            super().unlink(path)

    disk, faults = StubbornDisk(), []
    spool = start_spool(tmp_path, disk, report_fault=lambda *given: faults.append(given))
    with pytest.raises(Unavailable):
        finish(spool.apply(SpoolChange(new=[new_job("a", body=LARGE), new_job("a")])))
    assert (tmp_path / "bodies" / "a").exists()
    assert len(faults) == 1
    disk.is_stubborn = False
    finish(spool.accept(new_job("a", body=LARGE[::2])))
    assert read_back(spool, "a").endswith(LARGE[::2])
    finish(spool.close())


def test_the_file_of_a_job_is_never_taken(tmp_path: Path):
    spool = start_spool(tmp_path, QuickDisk())
    finish(spool.accept(new_job("a", body=LARGE)))
    finish(spool.prepare(new_job("b", body=LARGE)))
    for id in ("a", "b"):
        with pytest.raises(Unavailable, match="with this id"):
            finish(spool.accept(new_job(id, body=LARGE[::2])))
        assert (tmp_path / "bodies" / id).read_bytes() == LARGE
    finish(spool.close())


def test_a_file_has_one_writer_until_its_job_is_committed(spool: DiskJobSpool):
    lane = LateLane(spool)
    lane.start(spool.accept(new_job("a", body=LARGE)))
    lane.start(spool.accept(new_job("a", body=LARGE[::2])))
    lane.work()
    assert [type(one) for one in lane.results] == [Unavailable, type(None)]
    assert read_back(spool, "a").endswith(LARGE)


def test_a_bug_in_the_middle_leaves_no_file(spool: DiskJobSpool, tmp_path: Path):
    nan = new_job("nan", owed(due=float("nan")), body=LARGE)
    with pytest.raises(apsw.Error):
        finish(spool.accept(nan))
    assert list((tmp_path / "queue" / "bodies").iterdir()) == []
