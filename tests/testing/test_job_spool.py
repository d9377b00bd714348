import pytest

from tests.contracts.spool import JobSpoolContract, new_job
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.job_spool import MemoryJobSpool


class TestMemoryJobSpool(JobSpoolContract):
    @pytest.fixture
    def spool(self) -> MemoryJobSpool:
        return MemoryJobSpool()

    @pytest.fixture
    def small_spool(self) -> MemoryJobSpool:
        return MemoryJobSpool(max_jobs=2)


def test_a_failure_that_a_test_sets_is_raised_once():
    spool = MemoryJobSpool()
    spool.failure = Unavailable("as told")
    with pytest.raises(Unavailable, match="as told"):
        finish(spool.accept(new_job()))
    finish(spool.accept(new_job()))
    assert [*spool.jobs] == ["job1"]
