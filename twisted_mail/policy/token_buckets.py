"""Token buckets, many of them: how much of something somebody may still have now.

A bucket holds ``number`` tokens when full and fills in ``seconds``. So in any time t nobody gets more
than ``number * (1 + t / seconds)``.
"""

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float  # when it held so many


class TokenBuckets:
    """Buckets of one size, by key; at most ``most`` of them, of which the least used go.

    A bucket that is full is as good as none, so what is forgotten is forgiven.
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
        """Return for how many seconds nothing can be taken; 0: something can."""
        tokens = self._tokens(key, now)
        # A millionth of a token is what adding up leaves of a whole one.
        return 0.0 if tokens >= 1 - 1e-6 else (1 - tokens) / self._rate

    def take(self, key: str, now: float, count: float = 1) -> None:
        """Take tokens, more than there are if need be: then the bucket fills from below nothing."""
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
