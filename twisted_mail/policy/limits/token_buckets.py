"""Token buckets, one for each key: how much of something is left now.

A bucket holds ``number`` tokens when full, and fills in ``seconds``. So within a time t nobody gets more
than ``number * (1 + t / seconds)``.
"""

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float  # when it held that number


class TokenBuckets:
    """Buckets of one size, by key; at most ``most``, of which the least recently used are dropped.

    A full bucket is like none at all, so dropping one only gives tokens back.
    """

    def __init__(self, number: float, seconds: float, most: int = 100_000) -> None:
        self._number = number
        self._rate = number / seconds
        self._most = most
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        """Return how many buckets are kept."""
        return len(self._buckets)

    def wait(self, key: str, now: float) -> float:
        """Return in how many seconds something can be taken; 0: now."""
        tokens = self._tokens(key, now)
        # A millionth of a token may be missing by rounding.
        return 0.0 if tokens >= 1 - 1e-6 else (1 - tokens) / self._rate

    def take(self, key: str, now: float, count: float = 1) -> None:
        """Take tokens, if need be more than there are: then the bucket fills from below zero."""
        tokens = self._tokens(key, now) - count
        self._buckets[key] = _Bucket(tokens, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)

    def _tokens(self, key: str, now: float) -> float:
        bucket = self._buckets.get(key)
        if bucket is None:
            return self._number
        return min(self._number, bucket.tokens + max(0.0, now - bucket.at) * self._rate)
