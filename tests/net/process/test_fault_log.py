import errno

import apsw
import pytest

from twisted_mail.net.process.fault_log import (
    MAX_LINES,
    MAX_LINES_OF_ACCOUNT,
    PERIOD_SECONDS,
    WHERE,
    FaultLog,
    fault_text,
)
from twisted_mail.testing.doubles import StillClock
from twisted_mail.testing.recorded_log import ListJournal


class FaultFixture:
    def __init__(self) -> None:
        self.journal, self.clock = ListJournal(), StillClock()
        self.log = FaultLog(self.journal, self.clock, lambda act, *args: act(*args))

    @property
    def lines(self) -> list[str]:
        assert all(event == ("warned", (WHERE, event[1][1])) for event in self.journal.events)
        return [text for _, (_, text) in self.journal.events]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.EACCES, "", b"/mail/cur/1"), "/mail/cur/1: Permission denied (EACCES)"),
        (OSError(errno.EIO, ""), "/mail: Input/output error (EIO)"),
        (OSError(errno.EBADF, "", 7), "/mail: Bad file descriptor (EBADF)"),
        (OSError("no number"), "/mail: OSError: no number"),
        (apsw.CorruptError("malformed"), "/mail: CorruptError: malformed"),
        (OSError(errno.EIO, "", b"/a\nb\xff"), "/a\\nb\\udcff: Input/output error (EIO)"),
    ],
)
def test_an_error_is_one_line_with_its_path_and_its_name(error: Exception, text: str) -> None:
    assert fault_text("/mail", error) == text


def test_a_long_path_does_not_hide_what_is_wrong() -> None:
    text = fault_text("x", OSError(errno.ENAMETOOLONG, "", "/a" * 2000))
    assert len(text) < 500
    assert text.endswith("File name too long (ENAMETOOLONG)")


def test_the_same_is_written_once_in_a_period() -> None:
    fixture = FaultFixture()
    for _ in range(3):
        fixture.log("/a", OSError(errno.EIO, ""))
        fixture.log("/a", OSError(errno.EACCES, ""))
    assert len(fixture.lines) == 2
    fixture.clock.seconds += PERIOD_SECONDS
    fixture.log("/a", OSError(errno.EIO, ""))
    assert len(fixture.lines) == 3


def test_a_flood_is_bounded_and_says_that_there_is_more() -> None:
    fixture = FaultFixture()
    for number in range(3 * MAX_LINES):
        fixture.log(f"/{number}", OSError(errno.EIO, ""))
    assert len(fixture.lines) == MAX_LINES + 1
    assert fixture.lines[-1].startswith(f"there are more errors than {MAX_LINES} in 10 minutes")
    fixture.clock.seconds += PERIOD_SECONDS
    fixture.log("/0", OSError(errno.EIO, ""))
    assert fixture.lines[-1].startswith("/0: ")


def test_the_files_of_one_account_hide_no_errors_of_others() -> None:
    fixture = FaultFixture()
    for number in range(3 * MAX_LINES):
        fixture.log("/m", OSError(errno.EIO, "", f"/m/x/ann/Maildir/cur/{number}"))
    assert len(fixture.lines) == MAX_LINES_OF_ACCOUNT + 1
    assert fixture.lines[-1].startswith("there are more errors below /m/x/ann than 20 in 10")
    fixture.log("/m", OSError(errno.EIO, "", "/m/x/bob/Maildir/cur/1"))
    assert fixture.lines[-1].startswith("/m/x/bob/Maildir/cur/1: ")
    fixture.clock.seconds += PERIOD_SECONDS
    fixture.log("/m", OSError(errno.EIO, "", "/m/x/ann/Maildir/cur/1"))
    assert fixture.lines[-1].startswith("/m/x/ann/Maildir/cur/1: ")
