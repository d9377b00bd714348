"""Files of lines, some for each day."""

import errno
import os
from pathlib import Path

import pytest

from twisted_mail.journey.day_files import DAY, DayFiles, day_files, line_chunks

NOON = 1_764_590_713.0  # 1 December 2025
PART = 1000


class Journal:
    """Files of a folder, with lines of a hundred octets."""

    def __init__(self, folder: Path, days: int = 3, octets: int = 16 * PART, **more) -> None:
        self.folder, self.now = folder / "journey", NOON
        self.files = DayFiles(str(self.folder), "events", days, octets, **more)

    def write(self, count: int = 1) -> None:
        self.files.append((b"x" * 99 + b"\n") * count, self.now)

    @property
    def names(self) -> list[str]:
        return [one.name for one in day_files(str(self.folder), "events")]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def test_a_day_has_a_file_of_its_own(journal: Journal) -> None:
    journal.write()
    journal.now += DAY
    journal.write()
    assert journal.names == ["events-2025-12-01.0001.jsonl", "events-2025-12-02.0001.jsonl"]


def test_a_file_that_is_full_is_followed_by_another(journal: Journal) -> None:
    for _ in range(3):
        journal.write(PART // 100)
    assert [name[-10:] for name in journal.names] == ["0001.jsonl", "0002.jsonl", "0003.jsonl"]


def test_the_ten_thousandth_file_of_a_day_is_one_as_well(journal: Journal) -> None:
    journal.write()
    last = journal.folder / journal.names[0].replace("0001", "9999")
    (journal.folder / journal.names[0]).rename(last)
    for _ in range(20):
        journal.write(PART // 100)
    assert journal.names[-1] == "events-2025-12-01.10018.jsonl"
    assert len(os.listdir(journal.folder)) == 16


def test_another_process_goes_on_with_the_same_file(journal: Journal, tmp_path: Path) -> None:
    other = Journal(tmp_path)
    for one in (journal, other, journal):
        one.write()
    assert len(journal.names) == 1
    assert (journal.folder / journal.names[0]).stat().st_size == 300


def test_what_is_too_old_is_removed(journal: Journal) -> None:
    for _ in range(5):
        journal.write()
        journal.now += DAY
    assert [name[14:17] for name in journal.names] == ["-03", "-04", "-05"]
    journal.files.expire(NOON + 6 * DAY)
    assert [name[14:17] for name in journal.names] == ["-05"]


def test_of_too_much_the_oldest_is_removed(journal: Journal) -> None:
    for _ in range(40):
        journal.write(PART // 100)
    total = sum((journal.folder / name).stat().st_size for name in journal.names)
    assert 14 * PART <= total <= 16 * PART
    assert journal.names[-1].endswith("0040.jsonl")


def test_what_was_left_torn_costs_no_other_line(journal: Journal, tmp_path: Path) -> None:
    journal.write()
    path = journal.folder / journal.names[0]
    path.write_bytes(path.read_bytes() + b"torn")
    Journal(tmp_path).write()
    assert path.read_bytes().split(b"\n")[1:] == [b"torn", b"x" * 99, b""]


def test_a_write_that_stopped_in_the_middle_is_followed_by_a_new_line(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.write()
    write = os.write

    def half(fd: int, data: bytes) -> int:
        if len(data) <= 50:
            raise OSError(errno.ENOSPC, "full")
        return write(fd, data[:50])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", half)
        with pytest.raises(OSError, match="full"):
            journal.write()
    journal.write()
    lines = (journal.folder / journal.names[0]).read_bytes().split(b"\n")
    assert [len(line) for line in lines] == [99, 50, 99, 0]


def test_nothing_is_written_where_mail_needs_the_room(tmp_path: Path) -> None:
    journal = Journal(tmp_path, min_free=1 << 60)
    with pytest.raises(OSError, match="No space") as raised:
        journal.write()
    assert raised.value.errno == errno.ENOSPC
    assert (journal.folder / journal.names[0]).stat().st_size == 0


def test_a_file_that_was_removed_is_made_anew(journal: Journal) -> None:
    journal.write()
    (journal.folder / journal.names[0]).unlink()
    journal.write()
    assert (journal.folder / journal.names[0]).stat().st_size == 100


def test_names_of_others_are_left_alone(journal: Journal) -> None:
    journal.write()
    for name in ("notes.txt", "dialogues-2001-01-01.0001.jsonl", "events-2001-01-01.jsonl"):
        (journal.folder / name).write_text("mine")
    journal.files.expire(NOON + 30 * DAY)
    assert sorted(os.listdir(journal.folder)) == [
        *("dialogues-2001-01-01.0001.jsonl", "events-2001-01-01.jsonl", "notes.txt"),
    ]


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_chunks_end_with_a_line_whatever_their_size(journal: Journal, size: int) -> None:
    journal.folder.mkdir()
    data = b"one\n\nthree three three\nfour"
    (journal.folder / "events-2025-12-01.0001.jsonl").write_bytes(data)
    [file] = day_files(str(journal.folder), "events")
    chunks = list(line_chunks(str(journal.folder), file, size))
    assert b"".join(chunks) == data
    assert all(chunk.endswith(b"\n") for chunk in chunks[:-1])


def test_a_file_that_is_gone_has_no_lines(journal: Journal) -> None:
    journal.write()
    [file] = day_files(str(journal.folder), "events")
    (journal.folder / file.name).unlink()
    assert list(line_chunks(str(journal.folder), file)) == []
