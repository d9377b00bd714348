"""Memory that incoming messages share, beyond the little that each has to itself.

A message that fits is written to disk once, to where it stays; without this it would be written to a
spool file first, and again from there. When the budget is used up, messages use such files: what ten
thousand strangers in the middle of a message can make the server hold is the little of each, and this.
"""

from dataclasses import dataclass, field
from threading import Lock

from twisted_mail.mail.message import MemoryBlob

ALL = 32 * 1024 * 1024  # octets, of all messages of a process together
MOST = 4 * 1024 * 1024  # octets of one message


class Budget:
    """``left`` octets, of which one message may have ``most``. Any thread may take and give back."""

    def __init__(self, left: int = ALL, most: int = MOST) -> None:
        self.left = left
        self.most = most
        self._lock = Lock()

    def take(self, octets: int) -> bool:
        """Take octets, if that many are left; return whether they were."""
        with self._lock:
            is_there = octets <= self.left
            if is_there:
                self.left -= octets
        return is_there

    def give_back(self, octets: int) -> None:
        """Give octets back."""
        with self._lock:
            self.left += octets


class BudgetShare:
    """What one message has taken of a budget; given back once, by ``close`` or with its owner."""

    __slots__ = ("_budget", "_taken")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._taken = 0

    def covers(self, octets: int) -> bool:
        """Take what is missing for ``octets`` in all; return whether that was possible."""
        more = octets - self._taken
        if more <= 0:
            return True
        if octets > self._budget.most or not self._budget.take(more):
            return False
        self._taken = octets
        return True

    def close(self) -> None:
        """Give all back; harmless when done twice."""
        taken, self._taken = self._taken, 0
        if taken:
            self._budget.give_back(taken)

    def __del__(self) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class BudgetedBlob(MemoryBlob):
    """A blob in memory that a budget is charged for."""

    share: BudgetShare = field(repr=False, compare=False)

    def close(self) -> None:
        """Give the memory back to the budget; those who still read go on."""
        self.share.close()
