"""Events are written a moment later; what cannot be is lost, and the log says so."""

from pathlib import Path

from twisted_mail.journey.day_files import DayFiles, day_files
from twisted_mail.journey.event_lines import event_lines
from twisted_mail.journey.recorder import (
    EXPIRE_SECONDS,
    MAX_WAITING,
    TROUBLE_SECONDS,
    JourneyRecorder,
)
from twisted_mail.testing.doubles import EPOCH, InlineBlocking, StillClock, finish

EVENT = (EPOCH, "refused", {"id": "1a", "service": "smtp", "text": "No"})


class Recorded:
    """A recorder in a folder, and what the log says."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.warned = folder / "journey", StillClock(), []
        files = DayFiles(str(self.folder), "events", 3, 1 << 24)
        self.recorder = JourneyRecorder(
            files, event_lines, InlineBlocking(), self.warned.append, self.clock.now
        )

    def record(self, count: int = 1) -> None:
        for _ in range(count):
            self.recorder.record(EVENT)

    @property
    def lines(self) -> int:
        files = day_files(str(self.folder), "events")
        return sum((self.folder / one.name).read_bytes().count(b"\n") for one in files)


def test_events_are_written_together_a_moment_later(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    recorded.record(3)
    assert recorded.lines == 0
    finish(recorded.recorder.work())
    finish(recorded.recorder.work())
    assert recorded.lines == 3
    assert recorded.warned == []


def test_what_is_left_is_written_at_the_end(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    recorded.record(2)
    recorded.recorder.close()
    assert recorded.lines == 2


def test_a_disk_that_takes_nothing_costs_events_and_a_line_of_the_log(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    recorded.folder.write_text("no folder")
    for _ in range(5):
        recorded.record(10)
        finish(recorded.recorder.work())
        recorded.clock.seconds += 1
    [text] = recorded.warned
    assert text.startswith("events of the journey are lost (10 or more): ")
    recorded.folder.unlink()
    recorded.record()
    recorded.clock.seconds += TROUBLE_SECONDS
    finish(recorded.recorder.work())
    assert recorded.lines == 1
    assert "(40 or more)" in recorded.warned[1]


def test_no_more_than_so_many_events_wait(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    recorded.record(MAX_WAITING + 100)
    finish(recorded.recorder.work())
    assert recorded.lines == MAX_WAITING
    assert "too many came at once" in recorded.warned[0]


def test_what_is_too_old_goes_where_nothing_happens_either(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    recorded.record()
    finish(recorded.recorder.work())
    recorded.clock.seconds += 5 * 86400 + EXPIRE_SECONDS
    finish(recorded.recorder.work())
    assert day_files(str(recorded.folder), "events") == []
