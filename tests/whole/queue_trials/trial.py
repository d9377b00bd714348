"""Two servers and a sink between which mail flows, while the servers end again and again."""

import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tests.whole.live import PATIENCE
from tests.whole.names import NameServer
from tests.whole.ports import free_port
from tests.whole.process import select_nothing
from tests.whole.queue_trials.arrivals import Copy, Inbox
from tests.whole.queue_trials.sink import Sink
from tests.whole.queue_trials.trial_server import TrialServer
from tests.whole.queue_trials.users import Promised, Users
from tests.whole.queue_trials.windows import End, Handing, window_of

ADDRESSES = {"here": "127.0.0.2", "there": "127.0.0.3", "sink": "127.0.0.4"}
RETRYING = 5  # rounds after which all that waits is tried at once
ANSWER = re.compile(r"^(\S+) \[\S+\] (\w+): received from=<([^>]*)>", re.MULTILINE)
COMMIT = re.compile(r"^commit ([\d.]+)$", re.MULTILINE)
NOTE = re.compile(r"^(\S+) \[\S+\] (\w+): delivered to=<([^>]+)>", re.MULTILINE)


class Trial:
    """Rounds of mail, at the end of each of which a server ends; then the account of it all."""

    def __init__(self, servers: Sequence[TrialServer], sink: Sink, seed: int) -> None:
        self.servers, self._sink = servers, sink
        self.promised = Promised()
        self.ends: list[End] = []
        self.inboxes = [
            Inbox(
                one.user, one.folder / "state/mail" / f"{one.name}.example" / local / "Maildir/new"
            )
            for one, local in zip(servers, ("alice", "bob"), strict=True)
        ]
        self._chance = random.Random(seed)
        self._rounds = 0

    def play_round(self) -> None:
        """Let mail flow, end one of the servers or both, and start them again."""
        here, there = self.servers
        name = str(self._rounds)
        users = [Users(a, b, name, self.promised) for a, b in ((here, there), (there, here))]
        self._await_promises(self._chance.randrange(1, 50))
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
        while self.lost() or self.unreported() or any(one.owes() for one in self.servers):
            if time.monotonic() > deadline:
                return
            select_nothing(0.2)

    # ------------------------------------------------------------ the account

    def copies(self) -> Iterator[Copy]:
        for inbox in self.inboxes:
            inbox.look()
            yield from inbox.copies
        yield from self._sink.copies

    def lost(self) -> set[tuple[str, str]]:
        arrived = {(one.subject, one.recipient) for one in self.copies() if not one.is_report}
        return self.promised.accepted - arrived

    def unreported(self) -> set[str]:
        return self.promised.failing - self._reports().keys()

    def reported_twice(self) -> dict[str, set[str]]:
        return {subject: ids for subject, ids in self._reports().items() if len(ids) > 1}

    def _reports(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for one in self.copies():
            if one.is_report:
                found[one.subject].add(one.id)
        return found

    def _noted(self, event: re.Pattern[str]) -> Iterator[tuple[TrialServer, float, str, str]]:
        """Yield what the logs have of an event: the server, the time, the id, and more."""
        for server in self.servers:
            for when, id, more in event.findall(server.log.read_text()):
                yield server, datetime.fromisoformat(when).timestamp(), id, more

    def handings(self) -> dict[tuple[str, str], Handing]:
        """Return what became of each recipient of each job that had to be handed on."""
        found: dict[tuple[str, str], Handing] = {}
        for server, when, id, recipient in self._noted(NOTE):
            noted = found.setdefault((id, recipient), Handing(server.name, _home(recipient)))
            noted.notes.append(when)
        answered = {id: when for _, when, id, _ in self._noted(ANSWER)}
        for copy in self.copies():
            key = copy.id, copy.recipient
            handing = found.setdefault(key, Handing(copy.server, _home(copy.recipient)))
            handing.copies.append(answered.get(copy.taken, copy.time))
        return found

    def window(self) -> float:
        logs = [server.log.read_text() for server in self.servers]
        return window_of(float(one) for log in logs for one in COMMIT.findall(log))

    def contradictions(self) -> dict[tuple[str, str], str]:
        """Return the recipients of whom there are more copies, or notes, than is allowed, and why."""
        handings = self.handings()
        window = self.window()
        said = {key: one.contradicts(self.ends, window) for key, one in handings.items()}
        return {
            key: self._story(key, handings[key], text) for key, text in said.items() if text
        } | self._second_copies_at_home()

    def _second_copies_at_home(self) -> dict[tuple[str, str], str]:
        """Return those who got a message from their own server more than once: it has no window here."""
        homes = Counter(
            (one.id, one.recipient)
            for one in self.copies()
            if _home(one.recipient) == one.server and not one.is_report
        )
        return {key: "twice in an inbox here" for key, number in homes.items() if number > 1}

    def _story(self, key: tuple[str, str], handing: Handing, text: str) -> str:
        near = [
            one
            for one in self.ends
            if any(abs(one.began - each) < 10 for each in (*handing.copies, *handing.notes))
        ]
        lines = [text, f"copies {handing.copies}", f"notes {handing.notes}", f"ends {near}"]
        for server in self.servers:
            text = server.log.read_text()
            lines += [f"{server.name}: {line}" for line in text.splitlines() if key[0] in line]
        return "\n".join(lines)

    def figures(self) -> dict[str, object]:
        """Return what there was of each, for the report of the trial."""
        handings = self.handings().values()
        lags = sorted(one.lag for one in handings if one.lag)
        return {
            "ends": len(self.ends),
            "promised": len(self.promised.accepted),
            "arrived": len({(one.subject, one.recipient) for one in self.copies()}),
            "twice": sum(max(len(one.copies) - 1, 0) for one in handings),
            "reports": len(self._reports()),
            "window": round(self.window(), 3),
            "from answer to note": [round(lags[int(len(lags) * part)], 3) for part in (0.5, 0.999)],
        }


def _home(recipient: str) -> str:
    return recipient.partition("@")[2].removesuffix(".example")


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
