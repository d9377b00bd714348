import os
import re
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from twisted_mail.net.process import maillog
from twisted_mail.net.process.maillog import MailLog


class Logged:
    """A mail log in a folder, and what went elsewhere."""

    def __init__(self, path: Path) -> None:
        self.path, self.clock = path, Clock()
        self.clock.advance(1_700_000_000)
        self.elsewhere: list[str] = []
        self.log = MailLog(self.clock, path, self.elsewhere.append)

    def write(self, *texts: str) -> None:
        for text in texts:
            self.log.write(text)
        self.clock.advance(0)

    @property
    def texts(self) -> list[str]:
        return [line.partition(" ")[2] for line in self.path.read_text().splitlines()]


@pytest.fixture
def logged(tmp_path: Path) -> Logged:
    return Logged(tmp_path / "mail.log")


def test_lines_begin_with_the_time(logged: Logged) -> None:
    logged.write("one")
    logged.clock.advance(1)
    logged.write("two")
    lines = logged.path.read_text().splitlines()
    assert all(re.match(r"2023-11-1\dT\d\d:\d\d:\d\d[+-]\d{4} (one|two)$", one) for one in lines)
    assert lines[0][:19] < lines[1][:19]


def test_lines_of_one_round_are_written_together(
    logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[bytes] = []
    write = os.write
    monkeypatch.setattr(
        maillog.os, "write", lambda fd, data: writes.append(data) or write(fd, data)
    )
    logged.write("one", "two", "three")
    assert len(writes) == 1
    assert logged.texts == ["one", "two", "three"]


def test_nothing_is_opened_before_the_first_line(logged: Logged) -> None:
    logged.log.flush()
    assert not logged.path.exists()


@pytest.mark.parametrize("move", [lambda path: path.rename(f"{path}.1"), Path.unlink])
def test_a_file_that_was_moved_away_is_made_anew(logged: Logged, move: object) -> None:
    logged.write("one")
    move(logged.path)  # type: ignore[operator]
    logged.clock.advance(maillog.LOOK_SECONDS)
    logged.write("two")
    assert logged.texts == ["two"]


def test_several_processes_write_to_one_file(logged: Logged) -> None:
    other = Logged(logged.path)
    for text in ("one", "three"):
        logged.write(text)
        other.write(f"{text} of another")
    assert logged.texts == ["one", "one of another", "three", "three of another"]


def test_what_cannot_be_written_goes_elsewhere(tmp_path: Path) -> None:
    logged = Logged(tmp_path / "missing" / "mail.log")
    logged.write("one", "two")
    logged.write("three")
    assert logged.elsewhere[0].startswith(f"the mail log {logged.path} cannot be written: No such")
    assert logged.elsewhere[1:] == ["one", "two", "three"]
    logged.path.parent.mkdir()
    logged.clock.advance(maillog.TROUBLE_SECONDS)
    logged.write("four")
    assert logged.texts == ["four"]
    assert len(logged.elsewhere) == 4


def test_a_full_disk_is_no_end(logged: Logged, monkeypatch: pytest.MonkeyPatch) -> None:
    logged.write("one")

    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(maillog.os, "write", full)
        logged.write("two")
    assert logged.elsewhere[1:] == ["two"]
    logged.clock.advance(maillog.TROUBLE_SECONDS)
    logged.write("three")
    assert logged.texts == ["one", "three"]


def test_a_closed_log_opens_again(logged: Logged) -> None:
    logged.write("one")
    logged.log.close()
    logged.log.close()
    logged.write("two")
    assert logged.texts == ["one", "two"]


def test_text_that_is_no_utf8_is_written_all_the_same(logged: Logged) -> None:
    logged.write("from=<\udcff@example.org>")
    assert logged.texts == ["from=<\\udcff@example.org>"]
