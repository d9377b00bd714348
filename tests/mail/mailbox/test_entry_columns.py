"""Tests of twisted_mail.mail.mailbox.entry."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE, Entry
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import NONE, normal

SEEN = normal(["\\Seen"])


def entry(uid: int, modseq: int = 1) -> Entry:
    return Entry(uid, NONE, modseq, 1_000_000_000 + uid, 100 * uid)


def columns(*uids: int) -> EntryColumns:
    made = EntryColumns()
    made.add(map(entry, uids))
    return made


def test_a_new_mailbox_is_empty() -> None:
    made = EntryColumns()
    assert len(made) == 0
    assert (made.uidnext, made.highest_modseq) == (1, 1)
    assert made.row(1) is None


def test_entries_are_found_by_row_and_by_uid() -> None:
    made = columns(3, 5, 9)
    assert list(made.uids) == [3, 5, 9]
    assert made[1] == entry(5)
    assert [made.row(uid) for uid in (2, 3, 4, 9, 10)] == [None, 0, None, 2, None]


def test_adding_raises_the_next_uid_and_the_modseq() -> None:
    made = columns(3)
    made.add([entry(7, 12), entry(8, 11)])
    assert (made.uidnext, made.highest_modseq) == (9, 12)


def test_marking_sets_flags_and_modseq() -> None:
    made = columns(3, 5)
    made.mark([(5, SEEN, 4), (6, SEEN, 9)])
    assert made[1] == entry(5)._replace(flags=SEEN, modseq=4)
    assert made[0] == entry(3)
    assert made.highest_modseq == 4


@given(
    st.sets(st.integers(1, 300), min_size=100).map(sorted),
    st.integers(1, 50),
    st.booleans(),
)
def test_marking_many_is_marking_each(present: list[int], start: int, has_gone: bool) -> None:
    one, many = columns(*present), columns(*present)
    marked = [*present[start : start + 80], *([301] if has_gone else [])]
    marks = [(uid, SEEN, 1000 + uid % 7) for uid in marked]
    many.mark(marks)
    for mark in marks:
        one.mark([mark])
    assert many == one


@pytest.mark.parametrize("count", [3, 100])
def test_removing_keeps_the_rest_in_order(count: int) -> None:
    made = EntryColumns()
    made.add([entry(uid, modseq=2 * uid) for uid in range(1, 301)])
    made.mark([(uid, SEEN, 1000 + uid) for uid in range(1, 301, 3)])
    before = {one.uid: one for one in made}
    made.remove([*range(2, 2 * count + 1, 2), 999])
    gone = set(range(2, 2 * count + 1, 2))
    left = [uid for uid in range(1, 301) if uid not in gone]
    assert list(made.uids) == left
    assert [made[row] for row in range(len(made))] == [before[uid] for uid in left]
    assert made.uidnext == 301


@given(st.sets(st.integers(1, 200)), st.sets(st.integers(1, 200)))
def test_columns_stay_of_one_length(present: set[int], gone: set[int]) -> None:
    made = columns(*sorted(present))
    made.remove(sorted(gone))
    assert list(made.uids) == sorted(present - gone)
    lengths = {len(made.flags), len(made.modseqs), len(made.dates), len(made.sizes), len(made)}
    assert lengths == {len(present - gone)}


@pytest.mark.parametrize(
    "alter",
    [
        lambda made: made.add([entry(300)]),
        lambda made: made.add(columns(300, 301)),
        lambda made: made.mark([(2, SEEN, 2)]),
        lambda made: made.mark([(uid, SEEN, 2) for uid in range(1, 200)]),
        lambda made: made.remove([2]),
    ],
)
def test_a_snapshot_stays_as_it_is(alter: Callable[[EntryColumns], None]) -> None:
    made, other = columns(*range(1, 201)), columns(*range(1, 201))
    uids, flags = made.snapshot()
    alter(made)
    alter(other)
    assert made == other
    assert list(uids) == list(range(1, 201))
    assert flags == [NONE] * 200


def test_what_nobody_has_a_snapshot_of_is_altered_in_place() -> None:
    made = columns(1, 2, 3)
    made.snapshot()
    made.remove([1])
    uids = made.uids
    made.remove([2])
    assert made.uids is uids
    assert list(uids) == [3]


def test_large_numbers_fit() -> None:
    made = EntryColumns()
    made.add([Entry(2**32 - 1, NONE, 2**63 - 1, -(2**40), 2**40)])
    assert made[0] == Entry(2**32 - 1, NONE, 2**63 - 1, -(2**40), 2**40)


@pytest.mark.parametrize("count", [3, 64, 65, 200])
def test_messages_that_are_not_measured_yet_are_named(count: int) -> None:
    found = columns(*range(1, count + 1))
    asked = range(2, count + 9)
    assert found.unmeasured(asked) == []
    found.dates[0] = found.dates[2] = UNKNOWN_DATE
    assert found.unmeasured(asked) == [3]
    found.measure([(1, 10, 11), (3, 30, 33), (999, 1, 1)])
    assert found.unmeasured(asked) == []
    assert [(found.dates[row], found.sizes[row]) for row in (0, 2)] == [(10, 11), (30, 33)]


@given(st.sets(st.integers(1, 30)), st.sets(st.integers(1, 30)))
def test_sizes_are_those_of_the_messages_asked_for(present: set[int], asked: set[int]) -> None:
    made = columns(*sorted(present))
    made.measure([(uid, 0, 100 + uid) for uid in present])
    expected = [100 + uid if uid in present else 0 for uid in sorted(asked)]
    assert list(made.sizes_of(sorted(asked))) == expected


def test_the_first_unseen_message_follows_what_happens() -> None:
    made = columns(3, 5, 9)
    assert EntryColumns().first_unseen() is None
    assert made.first_unseen() == 0
    made.mark([(3, SEEN, 2), (5, SEEN, 2)])
    assert made.first_unseen() == 2
    made.remove([3])
    assert made.first_unseen() == 1
    made.mark([(9, SEEN, 3)])
    assert made.first_unseen() is None
    made.add([entry(11, 4)])
    assert made.first_unseen() == 2
    made.mark([(5, NONE, 5)])
    assert made.first_unseen() == 0
