"""Tests of twisted_mail.mail.mailbox.flags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mailbox import flags
from twisted_mail.mail.mailbox.flags import (
    DELETED,
    NONE,
    RECENT,
    SEEN,
    intern,
    is_keyword,
    keywords,
    normal,
)
from twisted_mail.mail.outcome import Refused


def test_system_flags_have_one_spelling() -> None:
    assert normal(["\\seen", "\\DELETED", "\\recent"]) == {SEEN, DELETED, RECENT}


def test_keywords_keep_theirs() -> None:
    assert normal(["$Junk", "\\Seen"]) == {"$Junk", SEEN}
    assert keywords(normal(["$Junk", "\\Seen"])) == {"$Junk"}


def test_equal_sets_are_one_object() -> None:
    assert normal(["\\Seen", "a"]) is normal(["a", "\\seen"])
    assert normal([]) is NONE


def test_sets_that_nobody_uses_are_forgotten() -> None:
    kept = intern(frozenset({"kept"}))
    for number in range(20_000):
        assert intern(frozenset({f"k{number}"})) == {f"k{number}"}
        assert intern(frozenset({"kept"})) is kept
    assert len(flags._interned) < 2000


def test_large_sets_take_no_more_than_small_ones() -> None:
    for number in range(3000):
        normal([f"k{number + each}" for each in range(500)])
    assert sum(map(flags.octets, flags._interned._young)) <= flags.REMEMBERED / 2


def test_names_in_texts_are_one_object() -> None:
    one, other = flags.split("\\Seen $Shared"), flags.split("$Shared")  # in no other test's sets
    assert one == {SEEN, "$Shared"}
    assert {id(name) for name in other} <= {id(name) for name in one}


def test_a_message_has_a_hundred_keywords_and_all_other_flags() -> None:
    most = normal([*(f"k{n}" for n in range(flags.MAX_KEYWORDS)), *flags.SYSTEM])
    flags.check_number(most)
    with pytest.raises(Refused) as caught:
        flags.check_number(most | {"one-too-many"})
    assert caught.value.condition == "LIMIT"


@pytest.mark.parametrize("name", ["$Junk", "NonJunk", "a-b_c.d:e;", "x" * flags.MAX_KEYWORD, "[x"])
def test_atoms_are_keywords(name: str) -> None:
    assert is_keyword(name)


@pytest.mark.parametrize(
    "name",
    ["", "\\Seen", "a b", "a(b", "a)b", "a{b", "a%b", "a*b", 'a"b', "a]b", "é", "a\n", "x" * 101],
)
def test_others_are_not(name: str) -> None:
    assert not is_keyword(name)


@given(st.sets(st.sampled_from([*flags.SYSTEM, "a", "b", "$c"])))
def test_normal_sets_stay_as_they_are(names: set[str]) -> None:
    assert normal(names) == names
    assert normal(normal(names)) is normal(names)
