"""Full collections of garbage that stay short, however much lives long.

A collection looks through all that there is, and nobody is served meanwhile: with a hundred thousand
destinations and all that is known of them it took 800 ms on a busy machine, again and again.
"""

import gc
from collections.abc import Mapping
from time import thread_time

LONG_SECONDS = 0.02  # of a full collection: what survives one is spared from then on
COUNTED = (
    50  # full collections, after which what is spared is counted: that takes some milliseconds
)

MOST_NEW = 1_000_000  # objects that are spared besides, until all is looked through again


class ShortCollections:
    """Spares what survives a full collection that took long, as what the start has made.

    At that moment there is no garbage among it. What becomes garbage later goes with its last reference,
    as most does; rings of it, as closed connections leave them, remain until half of what was spared has
    gone, or as much has come and very much: then all is looked through again.
    """

    def __init__(self) -> None:
        self._began = 0.0
        self._spared = 0  # the most that was counted
        self._uncounted = 0
        self._whole = 0  # what was spared after all was looked through; 0: that is to come

    def install(self) -> None:
        """Have Python tell of all collections, in whichever thread they are."""
        self._whole = gc.get_freeze_count()
        gc.callbacks.append(self._note)

    def _note(self, phase: str, info: Mapping[str, int]) -> None:
        if info["generation"] < 2:  # most, several for each message: to be quick about
            return
        if phase == "start":
            self._began = thread_time()
        else:
            self.ended(thread_time() - self._began)

    def ended(self, seconds: float) -> None:
        """Take up how long a full collection took."""
        self._uncounted += 1
        if seconds > LONG_SECONDS:
            self._spare()
        elif self._uncounted >= COUNTED:
            self._uncounted = 0
            self._look()

    def _spare(self) -> None:
        gc.freeze()
        spared = gc.get_freeze_count()
        self._whole = self._whole or spared
        if spared > self._whole + max(self._whole, MOST_NEW):
            self._spare_nothing()

    def _look(self) -> None:
        spared = gc.get_freeze_count()
        if spared < self._spared // 2:
            self._spare_nothing()
        else:
            self._spared = max(self._spared, spared)

    def _spare_nothing(self) -> None:
        gc.unfreeze()
        self._spared = self._whole = 0
