"""Times and attempts in words."""

import pytest

from twisted_mail.control.queue.phrases import circumstances, said, span, stamp, waits_for, when
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.wait_reason import WaitKind, WaitReason


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3605, "1 h"),
        (7260, "2 h 1 min"),
        (90_000, "1 d 1 h"),
        (86_400 * 400, "400 d"),
    ],
)
def test_a_span_has_two_units_at_most(seconds: float, shown: str) -> None:
    assert span(seconds) == shown


def test_a_time_that_no_calendar_has_is_the_last() -> None:
    assert when(1e30, 0.0).startswith("9999-12-31")
    assert stamp(0.0) is None
    assert stamp(1.0) == "1970-01-01T00:00:01+00:00"


def test_an_attempt_without_the_other_side_is_shown_as_far_as_it_went() -> None:
    nothing = Attempt(Outcome(451, "", "No answer"), 0.0)
    assert said(nothing) == "451 No answer"
    assert circumstances(nothing) == "class other"


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        (WaitReason(WaitKind.TURN), "its turn"),
        (WaitReason(WaitKind.UNDER_WAY), "nothing: it is being tried now"),
        (WaitReason(WaitKind.WORD), "a word (held)"),
        (WaitReason(WaitKind.LIMIT, text="20 connections"), "a limit: 20 connections"),
        (
            WaitReason(WaitKind.SITE, 60.0, "no answer", "mx"),
            "the site mx, which rests until 1970-01-01 00:01 UTC, in 1 min, because no answer",
        ),
        (
            WaitReason(WaitKind.SITE, 60.0, "no DNS"),
            "its domain, which rests until 1970-01-01 00:01 UTC, in 1 min, because no DNS",
        ),
        (
            WaitReason(WaitKind.SUSPENSION, 0.0, "domain x is suspended"),
            "a word: domain x is suspended until it is resumed",
        ),
    ],
)
def test_what_is_waited_for_is_a_sentence(reason: WaitReason, shown: str) -> None:
    assert waits_for(reason, 0.0) == shown
