"""Mail to domains that live, through a server of the bench into its sink."""

import statistics
import time
from dataclasses import dataclass
from itertools import count
from threading import Thread

from bench.newsletter import LETTER, NEWSLETTER, PATIENCE, Sender, SinkProcess
from bench.queue_scale.server import USER, Server

CONNECTIONS = 4
BURST = 1000  # messages
LETTERS = 100
PAUSE = 0.01  # seconds between two letters
_numbers = count()


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast mail went: messages a second, and the median from a letter's 250 to its arrival."""

    rate: float
    milliseconds: float


class Letters:
    """What is sent to one domain through one server."""

    def __init__(self, server: Server, sink: SinkProcess, domain: str) -> None:
        self._port = server.submission
        self._sink = sink
        self._domain = domain

    def pace(self) -> Pace:
        return Pace(self._burst(), 1000 * statistics.median(self._letters(LETTERS)))

    def first(self) -> float:
        """Send a letter; return how many seconds after its 250 it came."""
        return self._letters(1)[0]

    def _letters(self, number: int) -> list[float]:
        sender, accepted = Sender(self._port, USER), {}
        for _ in range(number):
            one = next(_numbers)
            recipient = f"{LETTER}-{one}@{self._domain}"
            accepted[recipient] = sender.send([recipient], f"{LETTER}.{one}")
            time.sleep(PAUSE)
        end = time.monotonic() + PATIENCE
        while not accepted.keys() <= self._sink.arrived.keys():
            if time.monotonic() > end:
                raise SystemExit("letters did not come")
            time.sleep(0.01)
        return [self._sink.arrived[one] - at for one, at in accepted.items()]

    def _burst(self) -> float:
        """Send many messages; return how many came in a second."""
        wanted = self._sink.count()["deliveries"] + BURST
        threads = [Thread(target=self._send) for _ in range(CONNECTIONS)]
        began = time.time()
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        found = self._sink.wait(wanted)
        if found["deliveries"] != wanted or found["twice"]:
            raise SystemExit(f"{wanted} messages should have come: {found}")
        return BURST / float(found["last"] - began)

    def _send(self) -> None:
        sender = Sender(self._port, USER)
        for _ in range(BURST // CONNECTIONS):
            one = next(_numbers)
            sender.send([f"reader{one}@{self._domain}"], f"{NEWSLETTER}.{one}")
