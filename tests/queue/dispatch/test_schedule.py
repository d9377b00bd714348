from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import DeliverBy, FutureRelease, MailParameters
from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.mail.queued.job import JobKind, QueuedJob
from twisted_mail.queue.dispatch.schedule import (
    DAY,
    SPREAD,
    expires_at,
    next_due,
    planned,
    rest_seconds,
)
from twisted_mail.queue.dispatch.settings import DispatchSettings, ScheduleSettings

SETTINGS = ScheduleSettings()
JOB = QueuedJob("job1", 1000.0, parse("alice@example.org"))
MINUTE, HOUR = 60.0, 3600.0


@pytest.mark.parametrize(
    ("tries", "pause"),
    [
        *((1, 5 * MINUTE), (2, 10 * MINUTE), (3, 20 * MINUTE), (4, 30 * MINUTE)),
        *((5, HOUR), (6, 2 * HOUR), (7, 3 * HOUR), (8, 3 * HOUR), (500, 3 * HOUR)),
    ],
)
def test_pauses_grow_and_the_last_one_repeats(tries: int, pause: float) -> None:
    due = next_due(tries, 1000.0, "job1", ReplyClass.OTHER, SETTINGS)
    assert due - 1000 == pytest.approx(pause, rel=SPREAD)


@given(st.text(max_size=20), st.integers(1, 50))
def test_pauses_are_spread_by_a_tenth_and_no_more(job: str, tries: int) -> None:
    pause = SETTINGS.retries[min(tries, 7) - 1]
    due = next_due(tries, 0.0, job, ReplyClass.OTHER, SETTINGS)
    assert pause * 0.9 <= due <= pause * 1.1


def test_what_failed_together_comes_back_apart_but_a_job_stays_together() -> None:
    dues = {next_due(1, 0.0, f"job{n}", ReplyClass.OTHER, SETTINGS) for n in range(100)}
    assert len(dues) > 90
    assert max(dues) - min(dues) > 0.15 * 5 * MINUTE
    again = {next_due(1, 0.0, "job1", ReplyClass.OTHER, SETTINGS) for _ in range(3)}
    assert len(again) == 1


def test_a_greylist_is_tried_after_five_minutes_and_some_seconds() -> None:
    for tries in (1, 2, 3):
        due = next_due(tries, 0.0, "job1", ReplyClass.GREYLIST, SETTINGS)
        assert 5 * MINUTE < due < 5.5 * MINUTE


def test_what_calls_itself_a_greylist_for_days_is_not_tried_every_five_minutes() -> None:
    assert next_due(9, 0.0, "job1", ReplyClass.GREYLIST, SETTINGS) > 2 * HOUR


def test_five_days_of_tries() -> None:
    times = planned(JOB, JOB.arrived, 0, SETTINGS)
    assert times[0] == JOB.arrived
    assert times[-2] < JOB.arrived + 5 * DAY <= times[-1]
    assert 40 < len(times) < 60
    first_hour = [at for at in times if at < JOB.arrived + HOUR]
    assert len(first_hour) >= 2  # RFC 5321 §4.5.4.1


def test_reports_are_tried_for_a_day() -> None:
    report = replace(JOB, kind=JobKind.REPORT)
    assert expires_at(report, SETTINGS) == report.arrived + DAY


def test_what_is_held_for_its_sender_has_its_days_from_its_release_on() -> None:
    parameters = MailParameters(future_release=FutureRelease(9 * DAY, "for;777600"))
    job = replace(JOB, mail_parameters=parameters)
    assert expires_at(job, SETTINGS) == 14 * DAY


@pytest.mark.parametrize(("is_returned", "end"), [(True, 2000.0), (False, 1000.0 + 5 * DAY)])
def test_what_is_to_be_returned_at_a_time_ends_then(is_returned: bool, end: float) -> None:
    parameters = MailParameters(deliver_by=DeliverBy(2000.0, is_returned))
    assert expires_at(replace(JOB, mail_parameters=parameters), SETTINGS) == end


def test_a_site_rests_longer_each_time_up_to_an_hour() -> None:
    rests = [rest_seconds(failures) / MINUTE for failures in range(1, 10)]
    assert rests == [1, 2, 5, 10, 15, 30, 60, 60, 60]


@pytest.mark.parametrize(
    ("failures", "others", "minutes"),
    [(1, 1000, 1), (1, 9000, 5), (3, 9000, 5), (4, 9000, 10), (1, 10_000_000, 60)],
)
def test_a_site_rests_longer_beside_very_many_others(
    failures: int, others: int, minutes: float
) -> None:
    assert rest_seconds(failures, others) / MINUTE == minutes


@pytest.mark.parametrize(
    "wrong",
    [{"retries": ()}, {"retries": (0.5,)}, {"days": 0}, {"notices": (3.0, 2.0)}, {"greylist": 0}],
)
def test_a_schedule_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"retries|days|notices"):
        ScheduleSettings(**wrong)  # type: ignore[arg-type]


def test_a_queue_without_connections_is_refused() -> None:
    with pytest.raises(ValueError, match="connections"):
        DispatchSettings(connections=0)
