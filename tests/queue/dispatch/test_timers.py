from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.queue.dispatch.memory.timers import SLACK, Timers


class Item:
    """Something with a time."""

    def __init__(self) -> None:
        self.timer = 0.0


def test_the_last_time_that_was_set_counts() -> None:
    timers, item = Timers(), Item()
    timers.set(item, 5.0)
    timers.set(item, 9.0)
    assert list(timers.due(8.0, 10)) == []
    assert list(timers.due(9.0, 10)) == [item]
    assert timers.next_time() is None


def test_what_was_cleared_never_comes() -> None:
    timers, item = Timers(), Item()
    timers.set(item, 5.0)
    timers.clear(item)
    assert list(timers.due(99.0, 10)) == []
    assert len(timers) == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 50)), max_size=100))
def test_each_comes_once_in_order(steps: list[tuple[int, int]]) -> None:
    timers, items = Timers(), [Item() for _ in range(10)]
    known: dict[int, float] = {}
    for number, tenths in steps:
        at = tenths / 4  # several in a span
        if at:
            timers.set(items[number], at)
            known[number] = at
        else:
            timers.clear(items[number])
            known.pop(number, None)
    assert len(timers) == len(known)
    found = [items.index(each) for each in timers.due(1000.0, 1000)]
    assert sorted(found) == sorted(known)
    assert [known[number] for number in found] == sorted(known.values())


def test_times_that_were_altered_take_no_room() -> None:
    timers, item = Timers(), Item()
    for at in range(1, 50_000):
        timers.set(item, at)
    assert timers.entries <= SLACK + 4


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 40)), max_size=100))
def test_times_are_found_while_others_are_set(steps: list[tuple[int, int]]) -> None:
    timers, items = Timers(), [Item() for _ in range(10)]
    known: dict[int, float] = {}
    now = 0.0
    for number, quarters in steps:
        now += 0.5
        at = known[number] = now + quarters / 4
        timers.set(items[number], at)
        assert timers.next_time() == min(known.values())
        for found in timers.due(now, 100):
            assert known.pop(items.index(found)) <= now  # type: ignore[arg-type]
        assert all(one > now for one in known.values())
    assert len(timers) == len(known)


def test_a_time_that_is_set_before_the_next_one_comes_first() -> None:
    timers, late, soon = Timers(), Item(), Item()
    timers.set(late, 100.0)
    assert timers.next_time() == 100.0
    timers.set(soon, 7.5)
    assert timers.next_time() == 7.5
    assert list(timers.due(100.0, 10)) == [soon, late]


def test_what_is_altered_and_altered_back_comes_once() -> None:
    timers, item = Timers(), Item()
    for at in (5.2, 90.0, 5.7):
        timers.set(item, at)
    assert list(timers.due(99.0, 10)) == [item]
    assert timers.next_time() is None
    assert timers.entries == 0


def test_times_far_away_are_swept_too() -> None:
    timers, items = Timers(), [Item() for _ in range(3)]
    timers.set(items[0], 1.0)
    assert timers.next_time() == 1.0
    for at in range(2, 50_000):
        timers.set(items[at % 3], float(at % 7 + 10))
    assert timers.entries <= SLACK + 13
    assert len([*timers.due(99.0, 10)]) == 3
