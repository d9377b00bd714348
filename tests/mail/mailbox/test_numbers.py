"""Tests of twisted_mail.mail.mailbox.numbers."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mailbox.numbers import (
    MAX_NUMBER,
    STAR,
    format_ranges,
    merged,
    parse,
)


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("1", ((1, 1),)),
        ("2,4:7,9,12:*", ((2, 2), (4, 7), (9, 9), (12, STAR))),
        ("*", ((STAR, STAR),)),
        ("*:4", ((STAR, 4),)),
        ("7:4", ((7, 4),)),
        ("1:4294967295", ((1, MAX_NUMBER),)),
    ],
)
def test_sets_are_read_as_written(text: str, ranges: tuple[tuple[int, int], ...]) -> None:
    assert parse(text).ranges == ranges


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "01", "a", "1,", ",1", "1:", ":1", "1:2:3", "1 ,2", "-1", "4294967296"),
        *("99999999999", "١", "1\n", "**"),
    ],
)
def test_what_is_no_set_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="set"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [("1,,2", "malformed set of numbers"), ("4294967296", "a number of the set is too large")],
)
def test_the_fault_of_a_set_is_named(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=f"^{fault}$"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "highest", "ranges"),
    [
        ("2,4:7,9,12:*", 15, [(2, 2), (4, 7), (9, 9), (12, 15)]),
        ("*:4,5:7", 10, [(4, 10)]),
        ("9:*", 3, [(3, 9)]),
        ("*", 8, [(8, 8)]),
        ("5:3,1:2", 9, [(1, 5)]),
        ("3,1,2", 9, [(1, 3)]),
    ],
)
def test_sets_resolve_to_ascending_ranges(
    text: str, highest: int, ranges: list[tuple[int, int]]
) -> None:
    assert parse(text).resolved(highest) == ranges


def test_ranges_are_written_as_a_set() -> None:
    assert format_ranges([(1, 3), (5, 5), (7, 8)]) == "1:3,5,7:8"
    assert format_ranges([]) == ""


@given(st.sets(st.integers(1, 60)))
def test_numbers_come_back(numbers: set[int]) -> None:
    ranges = merged((number, number) for number in numbers)
    assert {n for first, last in ranges for n in range(first, last + 1)} == numbers
    assert all(left[1] + 1 < right[0] for left, right in pairwise(ranges))
    if numbers:
        assert parse(format_ranges(ranges)).resolved(60) == ranges


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 9)), max_size=12))
def test_merged_ranges_cover_the_same_numbers(pairs: list[tuple[int, int]]) -> None:
    ranges = [(first, first + width) for first, width in pairs]
    covered = {n for first, last in ranges for n in range(first, last + 1)}
    assert {n for first, last in merged(ranges) for n in range(first, last + 1)} == covered
    assert merged(merged(ranges)) == merged(ranges)
