"""Which hosts offer TLS and fail at it, so that not every connection has to find out."""

from twisted_mail.interfaces import Clock
from twisted_mail.smtp.dialogue.settings import NextHop

REMEMBER_SECONDS = 86_400.0
MAX_HOSTS = 10_000  # the one that was noted first is forgotten for one more


class BrokenTls:
    """Remembers for a day, by host and address, why TLS failed where clear text did not."""

    __slots__ = ("_clock", "_noted")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._noted: dict[tuple[str, str, int], tuple[float, str]] = {}

    def note(self, hop: NextHop, why: str) -> None:
        """Remember why TLS failed at a host, unless that is known."""
        key = (hop.host, hop.address, hop.port)
        if key in self._noted:
            return
        if len(self._noted) >= MAX_HOSTS:
            del self._noted[next(iter(self._noted))]
        self._noted[key] = self._clock.monotonic() + REMEMBER_SECONDS, why

    def why(self, hop: NextHop) -> str:
        """Return why TLS failed at a host within a day, or the empty text."""
        key = (hop.host, hop.address, hop.port)
        until, why = self._noted.get(key, (0.0, ""))
        if why and until <= self._clock.monotonic():
            del self._noted[key]
            return ""
        return why
