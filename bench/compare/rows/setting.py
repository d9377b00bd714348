"""What each group of rows is given."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.compare.endpoint import Endpoint
from bench.compare.filling import Corpus
from bench.compare.meter import Meter


@dataclass(frozen=True)
class Setting:
    """One turn of one server. ``quiet`` waits until no server computes, and returns for how long."""

    endpoint: Endpoint
    corpus: Corpus
    meter: Meter
    turn: int
    scale: float
    quiet: Callable[[], float]

    def number(self, whole: int, least: int = 1) -> int:
        """Return a number of messages or operations, smaller in a trial run."""
        return max(least, int(whole * self.scale))

    def seconds(self, whole: float) -> str:
        """Return the generator's word for how long it goes on."""
        return f"secs={whole if self.scale >= 1 else min(whole, 1.0)}"


Rows = Callable[[Setting], None]
