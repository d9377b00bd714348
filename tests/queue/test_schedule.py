from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.job import Job
from twisted_mail.mail.route import ProgramTarget
from twisted_mail.queue.schedule import is_expired, postponed
from twisted_mail.queue.settings import QueueSettings

SETTINGS = QueueSettings(first_retry=60, longest_retry=3600, days=5)
JOB = Job("0abc-1", 1e9, NULL, ProgramTarget("ticket", parse("t@example.org")), due=1e9)


def test_each_pause_is_twice_as_long_as_the_one_before_up_to_the_longest() -> None:
    job, pauses = JOB, []
    for _ in range(8):
        now = job.due
        job = postponed(job, "busy", now, SETTINGS)
        pauses.append(job.due - now)
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert (job.attempts, job.reason) == (8, "busy")


@given(st.integers(0, 10**9))
def test_no_number_of_attempts_makes_a_pause_longer_than_the_longest(attempts: int) -> None:
    job = Job("x", 0.0, NULL, JOB.target, attempts=attempts)
    assert postponed(job, "", 0.0, SETTINGS).due <= SETTINGS.longest_retry


def test_a_job_expires_after_its_days() -> None:
    assert not is_expired(JOB, JOB.created + 5 * 86400, SETTINGS)
    assert is_expired(JOB, JOB.created + 5 * 86400 + 1, SETTINGS)
