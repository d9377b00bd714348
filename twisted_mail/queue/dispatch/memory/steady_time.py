"""Time that goes on evenly, whatever is done to the system's clock."""

from twisted_mail.interfaces import Clock

CATCH_UP = (
    0.1  # seconds by which a second may be longer or shorter, until the clock is followed again
)


class SteadyTime:
    """Seconds since 1970, by the clock as it was at the start and the time that has passed since.

    A clock that is set forward or back is followed slowly: a jump of a day makes nothing due and lets
    nothing expire, and ten days later both are the same.
    """

    __slots__ = ("_clock", "_looked_at", "_seconds")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._looked_at = clock.monotonic()
        self._seconds = clock.now()

    def now(self) -> float:
        """Return seconds since 1970; they never fall."""
        looked_at = self._clock.monotonic()
        passed = looked_at - self._looked_at
        if passed > 0:
            self._looked_at = looked_at
            self._seconds += passed
            off = self._clock.now() - self._seconds
            most = passed * CATCH_UP
            self._seconds += min(max(off, -most), most)
        return self._seconds
