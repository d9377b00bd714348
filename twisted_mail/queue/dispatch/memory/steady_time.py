"""Time that goes on evenly, whatever is done to the system's clock."""

from twisted_mail.interfaces import Clock

CATCH_UP = 0.1  # by so much of a second each one may be longer or shorter, until it is right again
LOOK_SECONDS = 0.5  # between two looks at the clock


class SteadyTime:
    """Seconds since 1970, by the clock as it was at the start and the time that has passed since.

    A clock that is set forward or back is followed slowly: a jump of a day makes nothing due and lets
    nothing expire, and ten days later both are the same.
    """

    __slots__ = ("_began", "_clock", "_looked_at", "_monotonic")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._monotonic = clock.monotonic
        self._looked_at = clock.monotonic()
        self._began = clock.now() - self._looked_at  # of the monotonic clock, by this time

    def now(self) -> float:
        """Return seconds since 1970. Cheap: it is asked several times for each message."""
        monotonic = self._monotonic()
        if monotonic - self._looked_at >= LOOK_SECONDS:
            self._follow(monotonic)
        return self._began + monotonic

    def _follow(self, monotonic: float) -> None:
        """Come nearer to the clock. The time may fall by a twentieth of a second."""
        most = (monotonic - self._looked_at) * CATCH_UP
        off = self._clock.now() - monotonic - self._began
        self._looked_at = monotonic
        self._began += min(max(off, -most), most)
