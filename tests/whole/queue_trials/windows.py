"""Which second copies the promise of docs/queue.md allows, and which it does not."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

SLACK = 0.05  # seconds between an event and the time that somebody noted for it
HANDLING = 1.0  # seconds that a busy machine may take to read an answer, and to begin a commit


@dataclass(frozen=True)
class End:
    """A server ended without warning: the first and the last moment at which it may have been."""

    server: str
    began: float
    over: float

    def distance(self, when: float) -> float:
        """Return the seconds between it and a moment; what was on its way arrives after it."""
        return max(self.began - when, when - self.over, 0.0)


@dataclass
class Handing:
    """What a server did with one recipient of a job: when copies arrived, and when it noted so.

    ``receiver`` is the server that took them, or somebody who never ends.
    """

    sender: str
    receiver: str
    copies: list[float] = field(default_factory=list)
    notes: list[float] = field(default_factory=list)

    @property
    def lag(self) -> float:
        """The seconds from the last copy to the note; 0.0 without one."""
        return max(self.notes[0] - max(self.copies), 0.0) if self.notes and self.copies else 0.0

    def contradicts(self, ends: Sequence[End], window: float) -> str:
        """Return what the promise does not allow, or nothing.

        A second copy needs an end of the sender, or of the receiver, whose answer was lost with it, at
        most ``window`` seconds after the first; and nothing may follow a note.
        """
        if len(self.notes) > 1:
            return "it was noted twice"
        if self.notes and self.copies and max(self.copies) > self.notes[0] + SLACK:
            return "it was sent though it was noted"
        if any(gap > window for gap in self.gaps(ends)):
            return "nothing explains that it came again"
        return ""

    def gaps(self, ends: Sequence[End]) -> list[float]:
        """Return the seconds between each copy but the last and the end that explains the next one.

        They are infinite where there is none.
        """
        its = [end for end in ends if end.server in (self.sender, self.receiver)]
        return [
            min((end.distance(first) for end in its if end.began <= second), default=math.inf)
            for first, second in pairwise(sorted(self.copies))
        ]


def window_of(commits: Iterable[float]) -> float:
    """Return how long the commit that notes a delivery may take, after the other side's 250.

    It begins when the one before has ended; ``commits`` are the seconds that each took.
    """
    return 2 * max(commits, default=0.0) + HANDLING
