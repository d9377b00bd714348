"""A damaged queue: what comes back, and that nothing of it is altered."""

import errno
import random
from contextlib import suppress
from pathlib import Path

import pytest

from tests.contracts.spool import new_job, owed
from tests.faults import FailDisk, QuickDisk
from tests.queue.spool.spools import start_spool
from twisted_mail.interfaces import SiteRecord, SpoolChange
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.queue.spool.disk_spool import DiskJobSpool
from twisted_mail.queue.spool.mending.database_pages import DatabasePages
from twisted_mail.queue.spool.mending.leaf_pages import leaf_rows
from twisted_mail.queue.spool.mending.salvage import salvage
from twisted_mail.store.disk.files import DiskFiles
from twisted_mail.testing.doubles import EPOCH, finish

PAGE = 4096


def body_of(number: int) -> bytes:
    return random.Random(number).randbytes(100 + number % 40 * 200)


def fill(folder: Path, number: int) -> DiskJobSpool:
    """Return a spool with jobs, each for two recipients, that were all written together."""
    spool = start_spool(folder, QuickDisk(), fresh=0)
    jobs = [
        new_job(
            f"job{each}",
            owed(1, f"u{each}@d{each % 100}.example"),
            owed(2, f"v{each}@example.net"),
            body=body_of(each),
        )
        for each in range(number)
    ]
    finish(spool.apply(SpoolChange(new=jobs)))
    return spool


def pages_of_jobs(path: Path) -> dict[str, set[int]]:
    """Return, by id, the pages that a job needs: its row, its body with what follows, its recipients."""
    pages = DatabasePages(str(path), PAGE)
    used: dict[int, set[int]] = {}
    names: dict[int, str] = {}
    for number in pages.used():
        read: list[int] = []

        def note(page: int, read: list[int] = read) -> bytes:
            read.append(page)
            return pages.read(page)

        before = 0
        for row in leaf_rows(pages.read(number), number, note):
            more, before = read[before:], len(read)
            if len(row.values) == 11:
                names[row.number] = row.values[1]
            job = row.values[1] if len(row.values) == 12 else row.number
            if len(row.values) in (3, 11, 12):
                used.setdefault(job, set()).update({number, *more})
    pages.close()
    return {names[job]: found for job, found in used.items() if job in names}


def damage(path: Path, number: int, seed: int, is_whole: bool) -> set[int]:
    """Overwrite pages in part or whole; return which."""
    chance = random.Random(seed)
    data = bytearray(path.read_bytes())
    hit = set(chance.sample(range(1, len(data) // PAGE + 1), number))
    for page in hit:
        size = PAGE if is_whole else chance.randint(1, PAGE)
        at = (page - 1) * PAGE + chance.randint(0, PAGE - size)
        data[at : at + size] = chance.randbytes(size)
    path.write_bytes(data)
    return hit


@pytest.mark.parametrize(
    ("number", "is_whole", "seed"),
    [(1500, True, 1), (1500, False, 2), (1500, False, 3), (20_000, False, 4)],
)
def test_every_job_on_other_pages_comes_back_and_none_is_altered(
    tmp_path: Path, number: int, is_whole: bool, seed: int
):
    spool = fill(tmp_path, number)
    gone = [(f"job{n}", k) for n in range(0, number, 3) for k in (1, 2)]
    finish(spool.apply(SpoolChange(gone=gone)))
    finish(spool.close())
    path = tmp_path / "queue.sqlite3"
    needed = pages_of_jobs(path)
    assert len(needed) == number - -(-number // 3)
    hit = damage(path, 50, seed, is_whole)
    salvage(str(tmp_path), DiskFiles(QuickDisk()), EPOCH)
    spool = start_spool(tmp_path, QuickDisk())
    whole = 0
    for each in range(number):
        id = f"job{each}"
        found = finish(spool.read(id))
        if id in needed and not needed[id] & hit:
            assert found is not None
            assert len(found.recipients) == 2
        if found is not None:
            assert each % 3 != 0, "it was served, and is here again"
            assert b"".join(found.message.blob.pieces()) == body_of(each)
            whole += 1
    assert whole > number / 3
    finish(spool.close())


def test_a_damaged_queue_is_mended_at_the_start_and_reported(tmp_path: Path):
    spool = fill(tmp_path, 200)
    finish(spool.save_site(SiteRecord("mx.example", 5.0)))
    finish(spool.close())
    path = tmp_path / "queue.sqlite3"
    path.write_bytes(b"\xff" * PAGE + path.read_bytes()[PAGE:])
    faults: list[str] = []
    spool = start_spool(
        tmp_path, QuickDisk(), report_fault=lambda where, error: faults.append(str(error))
    )
    assert spool.counts().jobs == 200
    assert [site.name for site in finish(spool.sites())] == ["mx.example"]
    assert "200 jobs for 400 recipients came back" in faults[-1]
    [aside] = tmp_path.glob("damaged-*")
    assert (aside / "queue.sqlite3").exists()
    finish(spool.accept(new_job("next")))
    finish(spool.close())


def test_damage_that_a_reader_finds_is_mended_while_the_queue_runs(tmp_path: Path):
    finish(fill(tmp_path, 300).close())
    spool = start_spool(tmp_path, QuickDisk(), fresh=0)
    path = tmp_path / "queue.sqlite3"
    data = path.read_bytes()
    root = data.index(b"\x02", PAGE)  # whatever: all inner pages are lost
    pages = [data[at : at + PAGE] for at in range(0, len(data), PAGE)]
    spoilt = [b"\xee" * PAGE if page[:1] in (b"\x02", b"\x05") else page for page in pages]
    assert root
    path.write_bytes(b"".join(spoilt))
    assert sum(one.waiting for one in finish(spool.destinations())) == 600
    finish(spool.accept(new_job("next")))
    assert spool.counts().jobs == 301
    finish(spool.close())


def spoil(path: Path) -> None:
    """Have all inner pages of a database lost."""
    data = path.read_bytes()
    pages = [data[at : at + PAGE] for at in range(0, len(data), PAGE)]
    spoilt = [b"\xee" * PAGE if page[:1] in (b"\x02", b"\x05") else page for page in pages]
    path.write_bytes(b"".join(spoilt))


def test_what_was_prepared_before_a_mending_cannot_be_kept(tmp_path: Path):
    finish(fill(tmp_path, 300).close())
    spool = start_spool(tmp_path, QuickDisk(), fresh=0)
    finish(spool.prepare(new_job("prepared")))
    finish(spool._upkeep._second.run(lambda connection: connection.wal_checkpoint()))
    spoil(tmp_path / "queue.sqlite3")
    finish(spool.destinations())
    with pytest.raises(Unavailable):
        finish(spool.keep("prepared"))
    finish(spool.close())


def test_mail_whose_body_was_set_aside_while_it_was_written_is_not_taken(tmp_path: Path):
    finish(fill(tmp_path, 300).close())
    spool = start_spool(tmp_path, QuickDisk(), fresh=0)
    spoil(tmp_path / "queue.sqlite3")
    large = new_job("large", body=b"x" * 100_000)
    with suppress(Unavailable):
        finish(spool.accept(large))
    is_taken = finish(spool.read("large")) is not None
    assert spool.counts().jobs == 300 + is_taken
    finish(spool.accept(new_job("later", body=b"x" * 100_000)))
    assert finish(spool.read("later")) is not None
    finish(spool.close())


@pytest.mark.parametrize("step", range(1, 12))
def test_a_mending_that_fails_is_tried_again(tmp_path: Path, step: int):
    finish(fill(tmp_path, 300).close())
    disk = FailDisk(10**9, errno.EIO)
    spool = start_spool(tmp_path, disk, fresh=0)
    path = tmp_path / "queue.sqlite3"
    data = path.read_bytes()
    pages = [data[at : at + PAGE] for at in range(0, len(data), PAGE)]
    spoilt = [b"\xee" * PAGE if page[:1] in (b"\x02", b"\x05") else page for page in pages]
    path.write_bytes(b"".join(spoilt))
    disk.left = step
    with suppress(Unavailable):
        finish(spool.destinations())
    with suppress(Unavailable):
        finish(spool.accept(new_job("next")))
    assert disk.has_failed
    disk.left = 10**9
    assert sum(one.waiting for one in finish(spool.destinations())) in (600, 601)
    finish(spool.accept(new_job("another")))
    assert spool.counts().jobs in (301, 302)
    finish(spool.close())


def test_a_salvage_that_was_cut_off_is_finished_at_the_next_start(tmp_path: Path):
    finish(fill(tmp_path, 50).close())
    path = tmp_path / "queue.sqlite3"
    path.rename(tmp_path / "salvaged.sqlite3")
    path.write_bytes(b"the damaged one")
    Path(f"{path}-wal").write_bytes(b"its log")
    spool = start_spool(tmp_path, QuickDisk())
    assert spool.counts().jobs == 50
    [aside] = tmp_path.glob("damaged-*")
    assert sorted(one.name for one in aside.iterdir()) == ["queue.sqlite3", "queue.sqlite3-wal"]
    finish(spool.close())


def test_a_job_whose_message_is_damaged_is_held(tmp_path: Path):
    spool = fill(tmp_path, 30)
    finish(spool.close())
    path = tmp_path / "queue.sqlite3"
    data = path.read_bytes()
    at = data.index(body_of(7)[50:100])
    path.write_bytes(data[:at] + b"\0" * 50 + data[at + 50 :])
    found = salvage(str(tmp_path), DiskFiles(QuickDisk()), EPOCH)
    assert (found.jobs, found.recipients, found.damaged) == (30, 60, 1)
    spool = start_spool(tmp_path, QuickDisk())
    assert finish(spool.load("job7", [1, 2])) is None
    assert finish(spool.load("job8", [1, 2])) is not None
    finish(spool.close())


def test_without_a_database_the_bodies_are_kept_for_people_to_look_at(tmp_path: Path):
    said: list[str] = []
    spool = start_spool(tmp_path, QuickDisk(), inline=0)
    finish(spool.accept(new_job("a")))
    finish(spool.close())
    (tmp_path / "queue.sqlite3").unlink()
    report = lambda where, error: said.append(f"{where}: {error}")  # noqa: E731
    spool = start_spool(tmp_path, QuickDisk(), report_fault=report, inline=0)
    aside = tmp_path / f"damaged-{int(EPOCH)}"
    assert [path.name for path in (aside / "bodies").iterdir()] == ["a"]
    text = f"the database is gone, and a new one begins; large messages are in {aside}"
    assert said == [f"{tmp_path / 'queue.sqlite3'}: {text}"]
    finish(spool.accept(new_job("a")))
    finish(spool.close())
    said.clear()
    finish(start_spool(tmp_path, QuickDisk(), report_fault=report, inline=0).close())
    assert said == []
