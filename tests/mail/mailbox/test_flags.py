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


def test_system_flags_have_one_spelling() -> None:
    assert normal(["\\seen", "\\DELETED", "\\recent"]) == {SEEN, DELETED, RECENT}


def test_keywords_keep_theirs() -> None:
    assert normal(["$Junk", "\\Seen"]) == {"$Junk", SEEN}
    assert keywords(normal(["$Junk", "\\Seen"])) == {"$Junk"}


def test_equal_sets_are_one_object() -> None:
    assert normal(["\\Seen", "a"]) is normal(["a", "\\seen"])
    assert normal([]) is NONE


def test_past_the_limit_sets_are_merely_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flags, "_INTERNED_LIMIT", 0)
    new = frozenset({"a-set-nobody-made-before"})
    assert intern(new) is new
    assert new not in flags._interned


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
