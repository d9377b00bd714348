"""Two servers and a sink between which mail flows, while the servers end again and again."""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.whole.live import PATIENCE
from tests.whole.names import NameServer
from tests.whole.ports import free_port
from tests.whole.process import select_nothing
from tests.whole.queue_trials.arrivals import Inbox
from tests.whole.queue_trials.findings import Findings
from tests.whole.queue_trials.sink import Sink
from tests.whole.queue_trials.trial_server import TrialServer
from tests.whole.queue_trials.users import Promised, Users
from tests.whole.queue_trials.windows import End

ADDRESSES = {"here": "127.0.0.2", "there": "127.0.0.3", "sink": "127.0.0.4"}
ENOUGH = (1, 5, 10, 20, 30, 40, 50, 150)  # messages that are accepted before a server ends
RETRYING = 5  # rounds after which all that waits is tried at once


class Trial:
    """Rounds of mail, at the end of each of which a server ends; ``findings`` say what became of it."""

    def __init__(self, servers: Sequence[TrialServer], sink: Sink, seed: int) -> None:
        self.servers = servers
        self.promised = Promised()
        self.ends: list[End] = []
        inboxes = [Inbox(one.user, one.maildir / "new") for one in servers]
        self.findings = Findings(servers, inboxes, sink, self.promised, self.ends)
        self._chance = random.Random(seed)
        self._rounds = 0

    def play_round(self) -> None:
        """Let mail flow, end one of the servers or both, and start them again."""
        here, there = self.servers
        name = str(self._rounds)
        users = [Users(a, b, name, self.promised) for a, b in ((here, there), (there, here))]
        self._await_promises(self._chance.choice(ENOUGH))
        victims = [[here], [there], [here], [there], [here, there]][self._rounds % 5]
        for victim in victims:
            self.ends.append(victim.end(self._chance.randrange(10**9)))
            select_nothing(self._chance.choice((0.0, 0.0, 0.2)))
        for one in users:
            one.stop()
        for victim in victims:
            victim.start()
        self._rounds += 1
        if self._rounds % RETRYING == 0:
            self._retry()

    def _await_promises(self, number: int) -> None:
        enough = self.promised.count + number
        deadline = time.monotonic() + PATIENCE
        while self.promised.count < enough and time.monotonic() < deadline:
            select_nothing(0.005)

    def _retry(self) -> None:
        for server in self.servers:
            server.try_all()

    def settle(self, seconds: float) -> None:
        """Wait until all that was promised is there, and nothing waits."""
        self._retry()
        deadline = time.monotonic() + seconds
        while self._is_missing():
            if time.monotonic() > deadline:
                return
            select_nothing(0.2)

    def _is_missing(self) -> bool:
        is_owed = any(one.owes() for one in self.servers)
        return is_owed or bool(self.findings.lost() or self.findings.unreported())


@contextmanager
def trial_of(kind: type[TrialServer], folder: Path, seed: int) -> Iterator[Trial]:
    """Start two servers of a kind and a sink, and stop them afterwards."""
    records: dict[str, dict[str, list[str]]] = {}
    for name, address in ADDRESSES.items():
        records[f"{name}.example"] = {"MX": [f"10 mail.{name}.example."]}
        records[f"mail.{name}.example"] = {"A": [address]}
    names, port = NameServer(records), free_port()
    sink = Sink(ADDRESSES["sink"], port)
    servers: list[TrialServer] = []
    try:
        for name, user in (("here", "alice"), ("there", "bob")):
            where = folder / name
            servers.append(kind(where, name, user, ADDRESSES[name], port, names.where))
        yield Trial(servers, sink, seed)
    finally:
        ended = [one.close() for one in servers]
        sink.close()
        names.close()
    assert all(ended)
    assert not [one.name for one in servers if "this is a bug" in one.log.read_text()]
