"""How many reports one sender gets: senders are forged, and floods of failing mail happen."""

from collections import deque

HOUR = 3600.0
MAX_SENDERS = 10_000  # of whom it is known how many reports they got; the oldest are forgotten


class ReportRate:
    """Counts the reports to each sender in the last hour. ``most`` of 0 is any number."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: dict[str, deque[float]] = {}

    def allows(self, sender: str, now: float) -> bool:
        """Return whether a sender may get one more report, and count it if so."""
        if not self._most:
            return True
        times = self._times.pop(sender, None) or deque()
        while times and not now - HOUR < times[0] <= now:  # a clock may be set back
            times.popleft()
        self._times[sender] = times  # the last one used is the last to be forgotten
        if len(self._times) > MAX_SENDERS:
            del self._times[next(iter(self._times))]
        if len(times) >= self._most:
            return False
        times.append(now)
        return True

    def give_back(self, sender: str) -> None:
        """Count the last report to a sender no more: it could not be written after all."""
        if times := self._times.get(sender):
            times.pop()
