"""Tests of twisted_mail.store.rendered_cache."""

from twisted_mail.mail.mailbox.entry import RenderedItems
from twisted_mail.store.rendered_cache import MAX_AT_ONCE, RenderedCache


def items(text: bytes) -> RenderedItems:
    return RenderedItems(text, b"", b"", 0)


def test_what_was_put_is_got_for_its_mailbox_only() -> None:
    cache = RenderedCache()
    cache.put(1, {5: items(b"(one)"), 6: None})
    assert cache.get(1, [4, 5, 6]) == {5: items(b"(one)")}
    assert cache.get(2, [5]) == {}


def test_what_was_not_asked_for_the_longest_goes_first() -> None:
    cache = RenderedCache(max_octets=1500)
    cache.put(1, {1: items(b"x" * 100), 2: items(b"y" * 100), 3: items(b"z" * 100)})
    cache.get(1, [1])
    cache.put(2, {1: items(b"new")})
    assert sorted(cache.get(1, [1, 2, 3])) == [1, 3]
    assert sorted(cache.get(2, [1])) == [1]


def test_the_bound_holds_whatever_is_put() -> None:
    cache = RenderedCache(max_octets=10_000)
    for number in range(200):
        cache.put(number % 3, {number: items(b"x" * (number * 37 % 900))})
        kept = [found for mailbox in range(3) for found in cache.get(mailbox, range(200)).values()]
        assert sum(len(one.envelope) + 400 for one in kept) <= 10_000
    cache.put(9, {1: items(b"x" * 20_000)})
    assert cache.get(9, [1]) == {}


def test_a_very_large_entry_does_not_drive_out_the_others() -> None:
    cache = RenderedCache(max_octets=16_000, max_entry_octets=1_000)
    cache.put(1, {1: items(b"x"), 2: items(b"y")})
    cache.put(2, {1: items(b"z" * 17_000), 2: items(b"z" * 1_000)})
    assert sorted(cache.get(1, [1, 2])) == [1, 2]
    assert sorted(cache.get(2, [1, 2])) == []


def test_an_entry_that_is_put_again_is_counted_once() -> None:
    cache = RenderedCache(max_octets=1000)
    for _ in range(10):
        cache.put(1, {1: items(b"x")})
    cache.put(1, {2: items(b"y")})
    assert sorted(cache.get(1, [1, 2])) == [1, 2]


def test_what_comes_with_very_many_others_is_not_kept_and_drives_out_nothing() -> None:
    cache = RenderedCache()
    cache.put(1, {1: items(b"x")})
    cache.put(2, {uid: items(b"y") for uid in range(MAX_AT_ONCE + 1)})
    assert cache.get(2, range(MAX_AT_ONCE + 1)) == {}
    cache.put(2, {uid: items(b"y") for uid in range(MAX_AT_ONCE)})
    assert sorted(cache.get(1, [1])) == [1]
    assert len(cache.get(2, range(MAX_AT_ONCE))) == MAX_AT_ONCE
