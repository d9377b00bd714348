"""All connections of the process together, whatever listener they came to.

Each takes a descriptor, and so does each file that the store opens: where connections take them all,
nobody can log in, and mail cannot be delivered. Half is kept for files.
"""

import resource
from dataclasses import dataclass

MAX_BUSY = 100  # connections that are being told that the server is busy


@dataclass(slots=True)
class ConnectionLimit:
    """How many connections there are, and how many there may be.

    Beyond ``most``, connections are told that the server is busy, ``most_busy`` of them at a time;
    further ones are closed at once.
    """

    most: int = 10_000
    most_busy: int = MAX_BUSY
    served: int = 0
    busy: int = 0
    peak: int = 0  # the most that were served together since somebody looked

    def serve(self, change: int) -> None:
        """Count connections that come, or with a negative number go."""
        self.served += change
        self.peak = max(self.peak, self.served)

    @property
    def is_full(self) -> bool:
        """Say whether no further connection can be served."""
        return self.served >= self.most

    @property
    def is_past_busy_limit(self) -> bool:
        """Say whether so many are being told that the server is busy that no more can be."""
        return self.busy >= self.most_busy


def raise_descriptor_limit() -> int:
    """Allow the process as many descriptors as the system lets it have; return how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        return soft
    return hard


def connection_limit_for(descriptors: int) -> ConnectionLimit:
    """Return a crowd that leaves half of the descriptors for files."""
    return ConnectionLimit(max(descriptors // 2 - MAX_BUSY, 1))
