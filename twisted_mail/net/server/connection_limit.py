"""A limit on all connections of the process together, whatever their listener.

Each takes a descriptor, and so does each file that the store opens: if connections took them all, nobody
could log in, and mail could not be delivered. Half are kept for files.
"""

from dataclasses import dataclass

MAX_BUSY = 100  # simultaneous "busy" replies


@dataclass(slots=True)
class ConnectionLimit:
    """How many connections there are, and how many there may be.

    Beyond ``most``, a connection gets the reply that the server is busy, up to ``most_busy`` at a time;
    further ones are closed at once.
    """

    most: int = 10_000
    most_busy: int = MAX_BUSY
    served: int = 0
    busy: int = 0
    peak: int = 0  # the most served together since this was last reset
    is_short: bool = False  # hardly any descriptor is left

    def serve(self, change: int) -> None:
        """Count connections that open or, with a negative number, close."""
        self.served += change
        self.peak = max(self.peak, self.served)

    @property
    def is_full(self) -> bool:
        """Return whether no further connection can be served."""
        return self.is_short or self.served >= self.most

    @property
    def is_past_busy_limit(self) -> bool:
        """Return whether the limit of simultaneous "busy" replies is reached."""
        return self.busy >= self.most_busy


def connection_limit_for(descriptors: int) -> ConnectionLimit:
    """Return the limit that leaves half of the descriptors for files."""
    return ConnectionLimit(max(descriptors // 2 - MAX_BUSY, 1))
