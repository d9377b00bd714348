"""The answers of the DNS in memory, each for as long as it may be used.

What was asked for again has a half of its own: names that are invented once each, as junk has them, take
nothing from it.
"""

from collections import OrderedDict
from typing import Any

from twisted_mail.interfaces import Clock
from twisted_mail.mail.dns import DnsAnswer, TlsaRecord
from twisted_mail.net.dns.question_queue import Key

MAX_CACHED = 10_000  # answers
MAX_CACHED_SIZE = 16 * 1024  # octets, about, of an answer
LEAST_SECONDS, MOST_SECONDS = 5.0, 3600.0  # how long an answer is cached, whatever its TTL

_Answers = OrderedDict[Key, tuple[float, DnsAnswer[Any]]]


class AnswerCache:
    """The answers that were used least recently are forgotten first, in each half."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._once: _Answers = OrderedDict()
        self._again: _Answers = OrderedDict()

    def find(self, key: Key) -> DnsAnswer[Any] | None:
        """Return the answer to a question, if it is known."""
        found = self._once.pop(key, None) or self._again.get(key)
        if found is None or found[0] <= self._clock.monotonic():
            return None
        self._put(self._again, key, found)
        return found[1]

    def keep(self, key: Key, answer: DnsAnswer[Any], seconds: float) -> None:
        """Keep an answer with this time to live, unless it is large."""
        if sum(map(_size, answer.values)) > MAX_CACHED_SIZE:
            return
        seconds = min(max(seconds, LEAST_SECONDS), MOST_SECONDS)
        half = self._again if key in self._again else self._once
        self._put(half, key, (self._clock.monotonic() + seconds, answer))

    def _put(self, half: _Answers, key: Key, value: tuple[float, DnsAnswer[Any]]) -> None:
        half[key] = value
        half.move_to_end(key)
        if len(half) > MAX_CACHED // 2:
            half.popitem(last=False)


def _size(value: Any) -> int:
    if isinstance(value, (str, bytes)):
        return 100 + len(value)
    return 100 + len(value.data if isinstance(value, TlsaRecord) else value.name)
