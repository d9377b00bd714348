"""How many connections a site may have: few at first, more while all goes well, fewer at trouble.

The rules are Postfix's (its SCHEDULER_README): one more at the end of a series of successes as long as
the present number, one less at the beginning of a series of failures, and none after as many failures in
a row as there were connections.
"""

from twisted_mail.interfaces import SiteLimits

PAUSES = (
    5.0,
    10.0,
    20.0,
    40.0,
    80.0,
    160.0,
    300.0,
)  # before another connection, after it was of no use
CEILING_SECONDS = 300.0  # for which a site has no more connections than when it asked for fewer


class Pace:
    """The number of connections that a site may have now.

    ``window`` is that number; ``is_proven`` whether something has been delivered since the site last
    failed. A site that is being probed has one. ``ceiling`` is the most that it took lately, until
    ``ceiling_until``.
    """

    __slots__ = (
        "_cohort",
        "_failures",
        "_fruitless",
        "_successes",
        "ceiling",
        "ceiling_until",
        "is_proven",
        "window",
    )

    def __init__(self, begin: int) -> None:
        self.window = begin
        self.is_proven = False
        self.ceiling = 0
        self.ceiling_until = 0.0
        self._successes = 0  # of the present series
        self._failures = 0
        self._cohort = 0.0  # what part of all connections has failed since the last success
        self._fruitless = 0  # connections in a row that brought nothing on

    def succeeded(self, limits: SiteLimits, now: float) -> None:
        """Note that something was delivered."""
        if not self.is_proven:
            self.is_proven = True
            self.window = max(self.window, limits.begin)
        self._failures = self._fruitless = 0
        self._cohort = 0.0
        self._successes += 1
        if self._successes >= self.window:
            self._successes = 0
            most = min(limits.most, self.ceiling) if self.ceiling_until > now else limits.most
            self.window = min(self.window + 1, max(most, 1))

    def failed(self, connections: int) -> bool:
        """Note that the site could not be reached; return whether it is dead.

        ``connections`` is how many there are, the one that failed among them.
        """
        self._lower()
        self._cohort += 1 / max(connections, 1)
        return self._cohort > 0.999  # three thirds are less than one

    def slowed_down(self, connections: int, now: float) -> float:
        """Note that the site asked for fewer; return for how long it gets no further connection."""
        self._failures = 0
        self._lower()
        self.ceiling = self.window = max(min(self.window, connections - 1), 1)
        self.ceiling_until = now + CEILING_SECONDS
        return self.fruitless()

    def fruitless(self) -> float:
        """Note a connection that brought nothing on; return for how long there is no further one."""
        pause = PAUSES[min(self._fruitless, len(PAUSES) - 1)]
        self._fruitless += 1
        return pause

    def _lower(self) -> None:
        self._successes = 0
        if not self._failures:
            self.window = max(self.window - 1, 1)
        self._failures += 1
        if self._failures >= self.window:
            self._failures = 0


class MessageLimit:
    """After how many messages the hosts of a site close a connection, as far as it was learned."""

    __slots__ = ("_seen", "most")

    def __init__(self, most: int) -> None:
        self.most = most  # 0: not known
        self._seen = 0

    def closed_at(self, use: int) -> bool:
        """Note that a connection was closed at its so-manieth message; return whether that taught it."""
        if use < 2 or use - 1 == self.most:
            return False
        if use != self._seen:
            self._seen = use
            return False
        self.most = use - 1
        return True
