"""Tests of twisted_mail.mail.mailbox.dropped_rows."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mailbox.dropped_rows import drop_rows


@given(st.sets(st.integers(0, 299)).map(sorted))
def test_the_others_stay_in_order(rows: list[int]) -> None:
    numbers, names = array("Q", range(300)), [str(number) for number in range(300)]
    drop_rows((numbers, names), rows)
    assert list(numbers) == [number for number in range(300) if number not in rows]
    assert names == [str(number) for number in numbers]


def test_every_second_of_many_is_dropped() -> None:
    numbers, flags = array("q", range(-500, 500)), list(range(1000))
    drop_rows((numbers, flags), range(0, 1000, 2))
    assert (list(numbers), flags) == (list(range(-499, 500, 2)), list(range(1, 1000, 2)))


def test_nothing_is_dropped_of_nothing() -> None:
    numbers = array("Q")
    drop_rows((numbers,), ())
    assert list(numbers) == []
