"""Tests of twisted_mail.mail.bounded_cache."""

from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.bounded_cache import RecentCache


class Made:
    """Counts what was made."""

    def __init__(self, octets: int) -> None:
        self.keys: list[int] = []
        self.cache: RecentCache[int, str] = RecentCache(self._make, octets, lambda key: key)

    def _make(self, key: int) -> str:
        self.keys.append(key)
        return str(key)


def test_what_was_made_is_remembered() -> None:
    made = Made(100)
    assert [made.cache(7), made.cache(7)] == ["7", "7"]
    assert made.keys == [7]


def test_what_is_asked_for_again_and_again_stays() -> None:
    made = Made(100)
    for key in range(10, 40):
        made.cache(7)
        made.cache(key)
    assert made.keys.count(7) == 1


def test_what_nobody_asks_for_is_forgotten() -> None:
    made = Made(100)
    made.cache(7)
    for key in range(10, 40):
        made.cache(key)
    made.cache(7)
    assert made.keys.count(7) == 2


def test_what_is_too_large_is_not_remembered() -> None:
    made = Made(100)
    made.cache(7)
    assert [made.cache(51), made.cache(51)] == ["51", "51"]
    assert [made.cache(50), made.cache(50)] == ["50", "50"]
    assert made.keys == [7, 51, 51, 50]


@given(st.lists(st.integers(1, 60)))
def test_it_never_takes_more_and_is_always_right(keys: list[int]) -> None:
    made = Made(100)
    for key in keys:
        assert made.cache(key) == str(key)
        assert sum(made.cache._young) <= 50
        assert sum(made.cache._old) <= 50
        assert len(made.cache) <= 100
