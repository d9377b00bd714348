"""Sending a worker's log to the main process, which writes it."""

import threading
from collections import deque
from typing import Any

from twisted.logger import LogEvent, eventAsText
from twisted.python.threadable import isInIOThread

from twisted_mail.net.process.process_bridge import Bridge

MOST_WAITING = 10_000  # events that are not sent yet; the oldest beyond that are lost
MOST_TOGETHER = 50  # events in one call: each may name a thousand recipients
_PLAIN = (str, int, float, bool, type(None))


class LogSender:
    """An observer of ``twisted.logger``. Events are sent together, once in each turn of the reactor."""

    def __init__(self, bridge: Bridge, reactor: Any) -> None:
        self._bridge = bridge
        self._reactor = reactor
        self._waiting: deque[LogEvent] = deque(maxlen=MOST_WAITING)
        self._is_called = False
        self._lock = threading.Lock()

    def __call__(self, event: LogEvent) -> None:
        """Take an event, in any thread."""
        self._waiting.append(serialisable(event))
        with self._lock:
            if self._is_called:
                return
            self._is_called = True
        if isInIOThread():  # type: ignore[no-untyped-call]
            self._reactor.callLater(0, self.flush)
        else:
            self._reactor.callFromThread(self.flush)

    def flush(self) -> None:
        """Send the events that wait. Reactor thread only."""
        with self._lock:
            self._is_called = False
        while self._waiting:
            count = min(len(self._waiting), MOST_TOGETHER)
            self._bridge.notify("log", "publish", [self._waiting.popleft() for _ in range(count)])


def serialisable(event: LogEvent) -> LogEvent:
    """Return an event that can be sent: plain values as they are, others as text."""
    sent = {key: value for key, value in event.items() if isinstance(value, _PLAIN)}
    sent["log_level"] = event["log_level"].name
    if (
        any(not key.startswith("log_") for key in event.keys() - sent.keys())
        or "log_failure" in event
    ):
        text = eventAsText(event, includeTimestamp=False, includeSystem=False)
        sent |= {"log_format": "{log_text}", "log_text": text}
    return sent
