"""What is spared from the collection of garbage; how much that helps, ``bench.queue_scale`` measures."""

import gc

import pytest

from twisted_mail.net.process import short_collections
from twisted_mail.net.process.short_collections import (
    COUNTED,
    LONG_SECONDS,
    MOST_NEW,
    ShortCollections,
)


class Heap:
    """The module ``gc`` with so many objects, of which some are spared."""

    def __init__(self, spared: int) -> None:
        self.spared, self.others = spared, 0

    def get_freeze_count(self) -> int:
        return self.spared

    def freeze(self) -> None:
        self.spared, self.others = self.spared + self.others, 0

    def unfreeze(self) -> None:
        self.spared, self.others = 0, self.spared + self.others


@pytest.fixture
def heap(monkeypatch: pytest.MonkeyPatch) -> Heap:
    heap = Heap(spared=50_000)
    monkeypatch.setattr(short_collections, "gc", heap)
    return heap


def test_what_survives_a_long_collection_is_spared(heap: Heap) -> None:
    collections = ShortCollections()
    heap.others = 100_000
    collections.ended(LONG_SECONDS / 2)
    assert heap.spared == 50_000
    collections.ended(LONG_SECONDS * 2)
    assert heap.spared == 150_000


def test_once_half_of_it_has_gone_all_is_looked_through_again(heap: Heap) -> None:
    collections = ShortCollections()
    for left, spared in ((150_000, 150_000), (80_000, 80_000), (70_000, 0), (0, 0)):
        heap.spared = left
        for _ in range(COUNTED):
            collections.ended(LONG_SECONDS / 2)
        assert heap.spared == spared


def test_rings_that_were_spared_do_not_grow_without_bound(heap: Heap) -> None:
    collections = ShortCollections()
    alive = 500_000
    for _ in range(20):  # each time others are alive, and those before are rings of garbage
        if not heap.spared:
            heap.others = 0  # all is looked through: what is garbage has gone
        heap.others += alive
        collections.ended(LONG_SECONDS * 2)
        assert heap.spared <= 2 * alive + MOST_NEW


def test_python_tells_of_all_collections_and_full_ones_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    callbacks = [*gc.callbacks]
    collections, ended = ShortCollections(), []
    monkeypatch.setattr(collections, "ended", ended.append)
    try:
        collections.install()
        gc.collect(1)
        assert not ended
        gc.collect()
        assert len(ended) == 1
    finally:
        gc.callbacks[:] = callbacks
