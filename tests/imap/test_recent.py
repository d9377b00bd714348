from array import array

from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.imap.recent import RecentRanges

STEPS = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4)), max_size=8)


@given(STEPS)
def test_ranges_hold_what_was_added(steps: list[tuple[int, int]]) -> None:
    recent, added, at = RecentRanges(), set(), 0
    for gap, size in steps:
        recent.add(at + gap, at + gap + size - 1)
        added.update(range(at + gap, at + gap + size))
        at += gap + size - 1 if size else 0
    assert {uid for uid in range(100) if uid in recent} == added
    assert recent.count(array("Q", range(100))) == len(added)


def test_what_overlaps_is_counted_once() -> None:
    recent = RecentRanges()
    recent.add(5, 9)
    recent.add(3, 12)
    assert recent.count(array("Q", range(20))) == 10


def test_ranges_that_touch_are_one() -> None:
    recent = RecentRanges()
    recent.add(1, 3)
    recent.add(4, 6)
    recent.add(8, 8)
    assert recent.ranges == [(1, 6), (8, 8)]
