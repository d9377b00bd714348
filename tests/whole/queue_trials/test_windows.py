import math

import pytest

from tests.whole.queue_trials.windows import HANDLING, End, Handing, window_of

WINDOW = 0.5


@pytest.mark.parametrize(
    ("copies", "notes", "ends", "found"),
    [
        ([1.0], [1.1], [], ""),
        ([1.0], [], [], ""),
        ([1.0, 7.0], [7.1], [End("here", 1.2, 1.3)], ""),
        ([1.0, 7.0], [7.1], [End("there", 1.2, 1.3)], ""),
        ([1.0, 7.0, 9.0], [9.1], [End("here", 1.2, 1.3), End("here", 7.2, 7.3)], ""),
        ([1.0, 7.0], [7.1], [End("here", 0.8, 0.9)], ""),  # what was on its way arrived after it
        ([1.0, 7.0], [7.1], [], "nothing explains that it came again"),
        ([1.0, 7.0], [7.1], [End("elsewhere", 1.2, 1.3)], "nothing explains"),
        ([1.0, 7.0], [7.1], [End("here", 2.2, 2.3)], "nothing explains"),  # too late for a note
        ([1.0, 7.0], [7.1], [End("here", 7.2, 7.3)], "nothing explains"),
        ([1.0, 7.0, 9.0], [9.1], [End("here", 1.2, 1.3)], "nothing explains"),
        ([1.0, 7.0], [1.1], [End("here", 1.2, 1.3)], "it was sent though it was noted"),
        ([1.0, 7.0], [1.1, 7.1], [End("here", 1.2, 1.3)], "it was noted twice"),
    ],
)
def test_a_second_copy_needs_an_end_before_the_note(
    copies: list[float], notes: list[float], ends: list[End], found: str
) -> None:
    said = Handing("here", "there", copies, notes).contradicts(ends, WINDOW)
    assert said.startswith(found)
    assert bool(said) == bool(found)


def test_the_window_is_two_commits_long() -> None:
    assert window_of([0.1, 0.25, 0.2]) == 0.5 + HANDLING
    assert window_of([]) == HANDLING


def test_gaps_are_between_a_copy_and_the_nearest_end() -> None:
    ends = [End("here", 1.2, 1.3), End("there", 6.8, 6.9), End("here", 7.3, 7.4)]
    handing = Handing("here", "there", [9.0, 1.0, 7.0])
    assert handing.gaps(ends) == [pytest.approx(0.2), pytest.approx(0.1)]
    assert handing.gaps([]) == [math.inf, math.inf]
