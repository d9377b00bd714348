"""Tests of twisted_mail.store.rendered_cache."""

from collections.abc import Iterator

from twisted_mail.mail.mailbox.entry import ItemTier, RenderedItems
from twisted_mail.store.rendered_cache import MAX_SHARE_OCTETS, RenderedCache

HEADER, PREVIEW = ItemTier.HEADER, ItemTier.PREVIEW
EMPTY = 520  # octets that an entry takes besides its text


def items(text: bytes) -> RenderedItems:
    return RenderedItems(text, b"", b"", 0)


def test_what_was_put_is_got_for_its_mailbox_only() -> None:
    share = RenderedCache().share()
    share.put(1, {5: items(b"(one)"), 6: None})
    assert share.get(1, [4, 5, 6], PREVIEW) == {5: items(b"(one)")}
    assert share.get(2, [5], PREVIEW) == {}
    assert share.lacking(1, [4, 5, 6], PREVIEW) == [4, 6]


def test_what_was_not_asked_for_the_longest_goes_first() -> None:
    share = RenderedCache(max_octets=3 * EMPTY + 300).share()
    share.put(1, {1: items(b"x" * 100), 2: items(b"y" * 100), 3: items(b"z" * 100)})
    share.get(1, [1], PREVIEW)
    share.put(2, {1: items(b"new")})
    assert sorted(share.get(1, [1, 2, 3], PREVIEW)) == [1, 3]
    assert sorted(share.get(2, [1], PREVIEW)) == [1]


def test_the_account_that_asked_least_lately_gives_first() -> None:
    cache = RenderedCache(max_octets=3 * EMPTY)
    one, two, three = cache.share(), cache.share(), cache.share()
    for share in (one, two, three):
        share.put(1, {1: items(b"")})
    one.get(1, [1], PREVIEW)
    three.put(1, {2: items(b"")})
    assert [len(share.get(1, [1, 2], PREVIEW)) for share in (one, two, three)] == [1, 0, 2]
    two.put(1, {3: items(b"")})
    assert [len(share.get(1, [1, 2, 3], PREVIEW)) for share in (one, two, three)] == [0, 1, 2]


def test_one_account_does_not_drive_out_all_others() -> None:
    cache = RenderedCache(max_octets=4 * EMPTY, max_share_octets=3 * EMPTY)
    quiet, busy = cache.share(), cache.share()
    quiet.put(1, {1: items(b"")})
    for uid in range(100):
        busy.put(2, {uid: items(b"")})
    assert sorted(busy.get(2, range(100), PREVIEW)) == [97, 98, 99]
    assert sorted(quiet.get(1, [1], PREVIEW)) == [1]


def test_the_bound_holds_whatever_is_put() -> None:
    cache = RenderedCache(max_octets=12_000)
    shares = [cache.share() for _ in range(3)]
    for number in range(200):
        shares[number % 3].put(number % 2, {number: items(b"x" * (number * 37 % 900))})
        kept = [
            found
            for share in shares
            for mailbox in range(2)
            for found in share.get(mailbox, range(200), PREVIEW).values()
        ]
        assert sum(len(one.envelope) + EMPTY for one in kept) <= 12_000
    shares[0].put(9, {1: items(b"x" * 20_000)})
    assert shares[0].get(9, [1], PREVIEW) == {}


def test_the_envelopes_of_ten_thousand_usual_messages_fit() -> None:
    usual = RenderedItems(b"e" * 416, b"b" * 131, b"s" * 200, 0, b"f" * 500, b"p" * 200, b"o" * 43)
    share = RenderedCache().share()
    for uid in range(10_000):
        share.put(1, {uid: usual})
    assert not share.lacking(1, range(10_000), PREVIEW)
    assert share.octets <= MAX_SHARE_OCTETS


def test_the_items_of_messages_that_are_gone_take_no_room() -> None:
    share = RenderedCache().share()
    share.put(1, {1: items(b"one"), 2: items(b"two"), 3: items(b"three")})
    share.put(2, {1: items(b"other")})
    share.forget_messages(1, [1, 3, 9])
    assert share.get(1, [1, 2, 3], PREVIEW) == {2: items(b"two")}
    assert share.octets == 2 * EMPTY + len("twoother")
    share.forget_messages(1, [2])
    share.forget_messages(3, [1])
    assert sorted(share.get(2, [1], PREVIEW)) == [1]
    assert share.octets == EMPTY + len("other")


def test_a_very_large_entry_does_not_drive_out_the_others() -> None:
    share = RenderedCache(max_octets=16_000, max_entry_octets=1_000).share()
    share.put(1, {1: items(b"x"), 2: items(b"y")})
    share.put(2, {1: items(b"z" * 17_000), 2: items(b"z" * 1_000)})
    assert sorted(share.get(1, [1, 2], PREVIEW)) == [1, 2]
    assert sorted(share.get(2, [1, 2], PREVIEW)) == []


def test_an_entry_that_is_put_again_is_counted_once() -> None:
    share = RenderedCache(max_octets=2 * EMPTY + 100).share()
    for _ in range(10):
        share.put(1, {1: items(b"x")})
    share.put(1, {2: items(b"y")})
    assert sorted(share.get(1, [1, 2], PREVIEW)) == [1, 2]


def test_what_is_rendered_less_far_is_not_enough_and_gives_way() -> None:
    share = RenderedCache(max_octets=2 * EMPTY + 10).share()
    less = RenderedItems(b"(one)", b"", b"", 0, tier=HEADER)
    share.put(1, {1: less})
    assert share.get(1, [1], HEADER) == {1: less}
    assert share.get(1, [1], PREVIEW) == {}
    assert share.lacking(1, [1], PREVIEW) == [1]
    share.put(1, {1: items(b"(one)")})
    share.put(1, {1: less})
    assert share.get(1, [1], HEADER) == share.get(1, [1], PREVIEW) == {1: items(b"(one)")}
    assert share.octets == EMPTY + 5


def test_the_mailbox_that_was_asked_for_the_longest_ago_gives_first() -> None:
    share = RenderedCache(max_octets=4 * EMPTY).share()
    share.put(1, {1: items(b""), 2: items(b"")})
    share.put(2, {1: items(b""), 2: items(b"")})
    share.get(1, [1], PREVIEW)
    share.put(3, {1: items(b"")})
    assert sorted(share.get(2, [1, 2], PREVIEW)) == [2]
    share.put(3, {2: items(b""), 3: items(b"")})
    assert [len(share.get(each, [1, 2, 3], PREVIEW)) for each in (1, 2, 3)] == [0, 1, 3]


def test_a_mailbox_is_forgotten_without_a_look_at_the_others() -> None:
    class Watched(dict[int, RenderedItems]):
        def __iter__(self) -> Iterator[int]:
            raise AssertionError("looked at")

    share = RenderedCache().share()
    share.put(1, {1: items(b"")})
    share.put(2, {1: items(b"")})
    share._mailboxes[1].entries = Watched(share._mailboxes[1].entries)  # type: ignore[assignment]
    share.forget(2)
    assert not share.lacking(1, [1], PREVIEW)


def test_a_mailbox_that_is_forgotten_makes_room_for_others() -> None:
    cache = RenderedCache(max_octets=3 * EMPTY)
    one, other = cache.share(), cache.share()
    one.put(1, {1: items(b""), 2: items(b"")})
    one.put(2, {1: items(b"")})
    one.forget(1)
    one.forget(1)
    other.put(1, {1: items(b""), 2: items(b"")})
    assert not one.lacking(2, [1], PREVIEW)
    one.forget(2)
    assert one.octets == 0
    one.forget(2)
    other.put(1, {3: items(b"")})
    assert not other.lacking(1, [1, 2, 3], PREVIEW)
