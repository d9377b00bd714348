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
    known: dict[int, int] = {}
    for number, at in steps:
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
    assert len(timers._heap) <= SLACK + 4
