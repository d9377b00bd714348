"""Destinations that need not wait for their turn in the line of a site, for the sake of a submitter.

Behind a relay or a provider a newsletter has thousands of destinations in line, and a letter of somebody
else to one more would wait for all of them. So a few destinations of each submitter may go between two of
the line, submitters in turn.
"""

from collections import deque
from typing import Generic, TypeVar

MOST_EACH = 10  # destinations of one submitter; others wait in the line
MOST_SUBMITTERS = 1_000  # of a site

Q = TypeVar("Q")


class FirstTurns(Generic[Q]):
    """The destinations of a site that have new mail, a few for each submitter.

    All of them stand in the line of the site, too, so that nothing is lost with what is given up here.
    """

    __slots__ = ("_by_submitter", "_is_next")

    def __init__(self) -> None:
        self._by_submitter: dict[str, deque[Q]] = {}  # in the order of the turns
        self._is_next = False  # of the line was the last one

    def add(self, submitter: str, queue: Q) -> None:
        """Let a destination go soon because of new mail of a submitter, unless he has many there."""
        row = self._by_submitter.get(submitter)
        if row is None and len(self._by_submitter) < MOST_SUBMITTERS:
            row = self._by_submitter[submitter] = deque()
        if row is not None and len(row) < MOST_EACH and queue not in row:
            row.append(queue)

    def take(self) -> tuple[str, Q] | None:
        """Take a destination, and the submitter whose mail it is for: None at each second call."""
        self._is_next = not self._is_next and bool(self._by_submitter)
        if not self._is_next:
            return None
        submitter = next(iter(self._by_submitter))
        row = self._by_submitter.pop(submitter)
        queue = row.popleft()
        if row:
            self._by_submitter[submitter] = row
        return submitter, queue
