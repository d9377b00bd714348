from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.directory_entry import MAX_CUTS, NOBODY, Resident, catch_all, cuts


def test_nobody_is_nobody() -> None:
    assert not NOBODY.is_somebody
    assert Resident("alice@example.org").is_somebody
    assert Resident(programs=("ticket",)).is_somebody


def test_the_catch_all_has_no_local_part() -> None:
    assert str(catch_all("example.org")) == '""@example.org'


def test_the_longest_user_comes_first() -> None:
    assert cuts("a+b-c", "+-") == [("a+b", "c"), ("a", "b-c")]
    assert cuts("+a", "+") == []
    assert cuts("a+b", "") == []


@given(st.text("ab+-"), st.sampled_from(["", "+", "-", "+-"]))
def test_cuts_are_few_and_lose_nothing(local: str, separators: str) -> None:
    found = cuts(local, separators)
    assert len(found) <= MAX_CUTS
    assert all(user and user + local[len(user)] + detail == local for user, detail in found)
    assert all(local[len(user)] in separators for user, _ in found)
