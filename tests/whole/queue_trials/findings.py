"""What became of the mail of a trial: what is lost, and what arrived twice without being allowed to."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.whole.queue_trials.arrivals import Copy, Inbox
from tests.whole.queue_trials.sink import Sink
from tests.whole.queue_trials.trial_server import TrialServer
from tests.whole.queue_trials.users import Promised
from tests.whole.queue_trials.windows import End, Handing, window_of

ANSWER = re.compile(r"^(\S+) \[\S+\] (\w+): received from=<([^>]*)>", re.MULTILINE)
COMMIT = re.compile(r"^commit ([\d.]+)$", re.MULTILINE)
NOTE = re.compile(r"^(\S+) \[\S+\] (\w+): delivered to=<([^>]+)>", re.MULTILINE)

Key = tuple[str, str]  # the id of a job, and a recipient


@dataclass
class Findings:
    """Compares what was promised with what arrived, and with the logs."""

    servers: Sequence[TrialServer]
    inboxes: Sequence[Inbox]
    sink: Sink
    promised: Promised
    ends: Sequence[End]

    def check(self) -> None:
        """Raise AssertionError, with the whole story, where the promise was not kept."""
        stories = [self._story(key, "lost") for key in self.lost()]
        stories += [self._story(key, "not reported") for key in self.unreported()]
        stories += [self._story(key, text) for key, text in self._reported_twice()]
        stories += [self._story(key, text) for key, text in self._contradictions()]
        assert not stories, "\n\n".join(stories)

    def lost(self) -> list[Key]:
        arrived = {(one.subject, one.recipient) for one in self._copies() if not one.is_report}
        promised = self.promised.accepted.items()
        return [(id, key[1]) for key, id in promised if key not in arrived]

    def unreported(self) -> list[Key]:
        reports = self._reports()
        promised = self.promised.failing.items()
        return [(id, "nobody") for subject, id in promised if subject not in reports]

    def _reported_twice(self) -> Iterator[tuple[Key, str]]:
        for subject, ids in self._reports().items():
            if len(ids) > 1:
                yield (self.promised.failing.get(subject, subject), "nobody"), f"reported by {ids}"

    def _reports(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for one in self._copies():
            if one.is_report:
                found[one.subject].add(one.id)
        return found

    def _copies(self) -> Iterator[Copy]:
        for inbox in self.inboxes:
            inbox.look()
            yield from inbox.copies
        yield from self.sink.copies

    def _noted(self, event: re.Pattern[str]) -> Iterator[tuple[TrialServer, float, str, str]]:
        """Yield what the logs have of an event: the server, the time, the id, and more."""
        for server in self.servers:
            for when, id, more in event.findall(server.log.read_text()):
                yield server, datetime.fromisoformat(when).timestamp(), id, more

    def _handings(self) -> dict[Key, Handing]:
        """Return what became of each recipient of each job that had to be handed on."""
        found: dict[Key, Handing] = {}
        for server, when, id, recipient in self._noted(NOTE):
            noted = found.setdefault((id, recipient), Handing(server.name, _home(recipient)))
            noted.notes.append(when)
        answered = {id: when for _, when, id, _ in self._noted(ANSWER)}
        for copy in self._copies():
            key = copy.id, copy.recipient
            handing = found.setdefault(key, Handing(copy.server, _home(copy.recipient)))
            handing.copies.append(answered.get(copy.taken, copy.time))
        return found

    def _window(self) -> float:
        logs = [server.log.read_text() for server in self.servers]
        return window_of(float(one) for log in logs for one in COMMIT.findall(log))

    def _contradictions(self) -> Iterator[tuple[Key, str]]:
        """Yield the recipients of whom there are more copies, or notes, than is allowed, and why."""
        window = self._window()
        for key, one in self._handings().items():
            if said := one.contradicts(self.ends, window):
                yield key, f"{said}: {one}"
        at_home = Counter(
            (one.id, one.recipient)
            for one in self._copies()
            if _home(one.recipient) == one.server and not one.is_report
        )
        for key, number in at_home.items():
            if number > 1:
                yield key, f"its own server gave it {number} copies"

    def _story(self, key: Key, text: str) -> str:
        lines = [f"{key}: {text}", *map(str, self.ends)]
        for server in self.servers:
            log = server.log.read_text().splitlines()
            lines += [f"{server.name}: {line}" for line in log if key[0] in line]
        return "\n".join(lines)

    def figures(self) -> dict[str, object]:
        """Return what there was of each, for the report of the trial."""
        handings = self._handings().values()
        gaps = [gap for one in handings for gap in one.gaps(self.ends)]
        lags = sorted(one.lag for one in handings if one.lag)
        return {
            "ends": len(self.ends),
            "promised": len(self.promised.accepted),
            "arrived": len({(one.subject, one.recipient) for one in self._copies()}),
            "twice": len(gaps),
            "reports": len(self._reports()),
            "longest from a copy to the end": round(max(gaps, default=0.0), 3),
            "window": round(self._window(), 3),
            "from answer to note": [round(lags[int(len(lags) * part)], 3) for part in (0.5, 0.999)],
        }


def _home(recipient: str) -> str:
    return recipient.partition("@")[2].removesuffix(".example")
