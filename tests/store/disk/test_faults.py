import errno

import apsw
import pytest

from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.disk.faults import DiskFaults, is_of_one_file


class Told:
    def __init__(self) -> None:
        self.reports: list[tuple[str, Exception]] = []
        self.faults = DiskFaults(lambda where, error: self.reports.append((where, error)))


@pytest.mark.parametrize(
    ("error", "code", "enhanced", "condition"),
    [
        (OSError(errno.EACCES, "secret"), 451, "4.3.0", "UNAVAILABLE"),
        (OSError(errno.ENOSPC, "secret"), 452, "4.3.1", "UNAVAILABLE"),
        (OSError(errno.EDQUOT, "secret"), 452, "4.3.1", "OVERQUOTA"),
        (apsw.FullError("secret"), 452, "4.3.1", "UNAVAILABLE"),
        (apsw.CorruptError("secret"), 451, "4.3.0", "UNAVAILABLE"),
    ],
)
def test_the_answer_hides_what_the_report_has(
    error: Exception, code: int, enhanced: str, condition: str
) -> None:
    told = Told()
    with pytest.raises(Unavailable) as caught, told.faults.converted(b"/mail/\xff"):
        raise error
    outcome = caught.value.outcome
    assert (outcome.code, outcome.enhanced, caught.value.condition) == (code, enhanced, condition)
    assert "secret" not in outcome.text
    assert told.reports == [("/mail/\udcff", error)]


def test_what_is_no_fault_is_passed_on_unreported() -> None:
    told = Told()
    with pytest.raises(KeyError), told.faults.converted(b"/mail"):
        raise KeyError
    assert told.reports == []


def test_some_errors_are_no_matter_of_one_file() -> None:
    assert is_of_one_file(OSError(errno.EACCES, ""))
    assert not is_of_one_file(OSError(errno.EMFILE, ""))
