"""Zones whose servers did not answer lately: few questions at a time go into them.

Whoever sends mail can choose names whose servers never answer, and each question would take a place for
seconds. So after two that took long and failed, their zone gets two questions at a time, and further ones
fail at once; an answer ends that.
"""

from collections import Counter, OrderedDict

import dns.name

from twisted_mail.interfaces import Clock

SILENT_SECONDS = 30.0  # after which a zone is asked as any other
SLOW_SECONDS = 1.0  # a failure that took this long is silence, and not an error that is answered
MAX_AT_ONCE = 2
_FAILURES = 2  # in a row, that make a zone silent: one may be lost on the way
MAX_ZONES = 10_000  # the first are forgotten

# Second levels of countries that people register below, as in co.uk and com.au.
_SECOND_LEVELS = frozenset(b"ac co com edu gob gov gv ltd mil ne net nom or org plc".split())


def zone_of(name: dns.name.Name) -> tuple[bytes, ...]:
    """Return what probably has one owner: the end of a name that somebody registered.

    For the names of addresses that is the network of /24, or /48 in IPv6.
    """
    labels = tuple(label.lower() for label in name.labels[:-1])
    if labels[-1:] == (b"arpa",):
        return labels[-14:] if labels[-2:-1] == (b"ip6",) else labels[-5:]
    if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS:
        return labels[-3:]
    return labels[-2:]


class SilentZones:
    """The zones that were silent, and how many questions are under way into each zone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failed: OrderedDict[tuple[bytes, ...], tuple[int, float]] = OrderedDict()
        self._running: Counter[tuple[bytes, ...]] = Counter()

    def begin(self, zone: tuple[bytes, ...]) -> bool:
        """Note that a question goes into a zone; False if it must not."""
        if self._failures(zone) >= _FAILURES and self._running[zone] >= MAX_AT_ONCE:
            return False
        self._running[zone] += 1
        return True

    def end(self, zone: tuple[bytes, ...], seconds: float, has_failed: bool) -> None:
        """Note that it is over, after this many seconds."""
        self._running[zone] -= 1
        if self._running[zone] <= 0:
            del self._running[zone]
        if not has_failed:
            self._failed.pop(zone, None)
        elif seconds >= SLOW_SECONDS:
            until = self._clock.monotonic() + SILENT_SECONDS
            self._failed[zone] = self._failures(zone) + 1, until
            self._failed.move_to_end(zone)
            if len(self._failed) > MAX_ZONES:
                self._failed.popitem(last=False)

    def _failures(self, zone: tuple[bytes, ...]) -> int:
        """Return how many questions in a row got no answer lately."""
        count, until = self._failed.get(zone, (0, 0.0))
        return count if until > self._clock.monotonic() else 0
