"""Tests of twisted_mail.store.known_uids."""

from array import array

from twisted_mail.store.known_uids import KnownUids

INDEX, OTHER = object(), object()


def uids(number: int) -> "array[int]":
    return array("Q", range(number))


def test_a_list_is_got_by_all_that_it_is_of() -> None:
    cache = KnownUids()
    cache.put((INDEX, 1, 2), uids(3))
    assert cache.get((INDEX, 1, 2)) == uids(3)
    assert cache.get((OTHER, 1, 2)) is None
    assert cache.get((INDEX, 2, 2)) is None
    assert cache.get((INDEX, 1, 4)) is None


def test_what_was_not_asked_for_the_longest_goes_first() -> None:
    cache = KnownUids(max_octets=2 * (300 + 800))
    cache.put((INDEX, 1, 0), uids(100))
    cache.put((INDEX, 2, 0), uids(100))
    cache.get((INDEX, 1, 0))
    cache.put((OTHER, 1, 0), uids(100))
    assert cache.get((INDEX, 1, 0)) is not None
    assert cache.get((INDEX, 2, 0)) is None
    assert cache.get((OTHER, 1, 0)) is not None


def test_a_list_larger_than_all_is_not_kept() -> None:
    cache = KnownUids(max_octets=1000)
    cache.put((INDEX, 1, 0), uids(10))
    cache.put((INDEX, 2, 0), uids(1000))
    assert cache.get((INDEX, 1, 0)) is not None
    assert cache.get((INDEX, 2, 0)) is None
