"""Which second copies the promise of docs/queue.md allows, and which it does not."""

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
        copies = sorted(self.copies)
        if len(self.notes) > 1:
            return "it was noted twice"
        if self.notes and copies and copies[-1] > self.notes[0] + SLACK:
            return "it was sent though it was noted"
        for first, second in pairwise(copies):
            if not any(self._explains(end, first, second, window) for end in ends):
                return f"nothing explains the copy {second - first:.3f} s after another"
        return ""

    def _explains(self, end: End, first: float, second: float, window: float) -> bool:
        if end.server not in (self.sender, self.receiver):
            return False
        return first - SLACK - window <= end.over and end.began <= min(first + window, second)


def window_of(commits: Iterable[float]) -> float:
    """Return how long the commit that notes a delivery may take, after the other side's 250.

    It begins when the one before has ended; ``commits`` are the seconds that each took.
    """
    return 2 * max(commits, default=0.0) + HANDLING
