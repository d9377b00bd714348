"""What clients that have not logged in make the server hold of their input, all of them together.

A client may be silent in the middle of a line, a literal or a SASL exchange, or send more while its
command waits. ``OWN_INPUT`` octets are each connection's own; what is beyond that comes out of one budget
of the process. Who is silent and finds nothing left there is sent away; from who sends on, no more is
read for the time being.
"""

from twisted_mail.net.connection.read_buffer import OWN_INPUT, ReadBuffer
from twisted_mail.store.disk.memory_budget import Budget, BudgetShare

ALL_INPUT = 32 * 1024 * 1024  # octets beyond those, of all connections of a process together


def input_budget() -> Budget:
    """Return a budget for the input of all connections."""
    return Budget(ALL_INPUT, ALL_INPUT)


class HeldInput:
    """The input of one connection that is held for it, by its buffer and its session.

    While it ``is_charged``, something may have been taken of the budget.
    """

    __slots__ = ("_budget", "_buffer", "_is_told", "_kept", "_share", "is_charged")

    def __init__(self, budget: Budget, buffer: ReadBuffer) -> None:
        self._budget = budget
        self._buffer = buffer
        self._share: BudgetShare | None = None  # once anything is taken of the budget
        self._kept = 0  # octets that the session has, at most
        self._is_told = False  # the session has said how many those are
        self.is_charged = False

    def keep(self, octets: int) -> bool:
        """Count what the session keeps while it waits for more; return whether there is room."""
        self._kept, self._is_told = octets, True
        return self._covers(octets)

    def wait(self) -> None:
        """Give back what the session does not keep while it waits: all but what it has said."""
        if not self._is_told:
            self._kept = 0
            self.close()

    def give(self, octets: int) -> None:
        """Count what the session is given, besides what it has said that it keeps."""
        self._kept = self._kept + octets if self._is_told else octets
        self._is_told = False
        if self._kept > OWN_INPUT or self._buffer.is_narrow:
            self._buffer.narrow(not self._covers(self._kept))

    def queue(self) -> None:
        """Count what has come meanwhile, and waits in the buffer."""
        held = self._kept + len(self._buffer.data)
        if held > OWN_INPUT:
            self._buffer.narrow(not self._covers(held))

    def _covers(self, octets: int) -> bool:
        """Take of the budget what is missing, or give back what is not needed any more."""
        self.close()
        if octets <= OWN_INPUT:
            return True
        if self._share is None:
            self._share = BudgetShare(self._budget)
        self.is_charged = True
        return self._share.covers(octets - OWN_INPUT)

    def close(self) -> None:
        """Give all back; harmless when repeated."""
        self.is_charged = False
        if self._share is not None:
            self._share.close()
