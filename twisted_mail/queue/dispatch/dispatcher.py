"""Gives carriers the mail that is due, and has noted what became of it."""

import math
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from twisted_mail.interfaces import DestinationSummary, SpoolChange
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, RecipientState
from twisted_mail.mail.queued.suspension import Suspension, SuspensionKind
from twisted_mail.mail.queued.wait_reason import WaitReason
from twisted_mail.queue.dispatch import explanation
from twisted_mail.queue.dispatch.aging import Aging
from twisted_mail.queue.dispatch.explanation import SiteState, site_state
from twisted_mail.queue.dispatch.memory.state import DispatchDoors, DispatchState
from twisted_mail.queue.dispatch.memory.timers import Timed
from twisted_mail.queue.dispatch.schedule import RESTS
from twisted_mail.queue.dispatch.settings import DispatchSettings, ScheduleSettings
from twisted_mail.queue.dispatch.traffic import Traffic
from twisted_mail.queue.dispatch.work import WorkParts

SLICE = 200  # destinations that are looked at before others have a turn of the reactor
LOADED = 2_000  # destinations that are taken up at the start before others have one
LONGEST_SLEEP = 60.0
SPREAD_SECONDS = 60.0  # over which goes out at the start what was due before
AT_LEAST, AT_MOST = 20.0, 100.0  # destinations a second, while that goes out
STOP_STEP = 0.05  # seconds between two looks whether all has ended
RECOUNT_SECONDS = 3600.0


class Dispatcher:
    """Fulfils ``interfaces.operator.Dispatching``. Reactor thread only."""

    def __init__(
        self, doors: DispatchDoors, schedule: ScheduleSettings, settings: DispatchSettings
    ) -> None:
        self._state = DispatchState(doors, schedule, settings)
        self._parts = WorkParts(self._state)
        self._traffic = Traffic(self._parts)
        self._aging = Aging(self._state, self._parts.conclusions)
        self._generation = 0  # of what is on disk

    # ------------------------------------------------------------ starting and stopping

    async def start(self, suspensions: Sequence[Suspension] = ()) -> None:
        """Take up what waits on disk, and begin. Raises Unavailable.

        What was due before goes out over a minute, however it was that the process ended; over longer
        with very many destinations: to look them all up at once would leave nothing for new mail.
        """
        for suspension in suspensions:
            self._state.suspensions.add(suspension)
        now = self._state.time.now()
        for record in await self._state.doors.spool.sites():
            self._state.remember(record, now, RESTS[-1])
        self._generation = self._state.doors.spool.generation()
        await self._take_up(await self._state.doors.spool.destinations())
        self._parts.reports.look_at_disk()
        self._state.doors.tasks.start("queue", self._run())
        self._state.doors.tasks.start("queue", self._aging.run())
        self._state.doors.tasks.start("queue", self._recount())

    async def _take_up(self, summaries: Sequence[DestinationSummary]) -> None:
        now = self._state.time.now()
        pause = 1 / min(max(len(summaries) / SPREAD_SECONDS, AT_LEAST), AT_MOST)
        overdue = 0
        for number, summary in enumerate(summaries, 1):
            queue = self._state.queue(summary.destination)
            queue.remind(summary.first_due)
            is_overdue = summary.first_due <= now
            self._state.look_at(queue, now + pause * overdue if is_overdue else summary.first_due)
            overdue += is_overdue
            if number % LOADED == 0:
                await self._state.doors.clock.sleep(0)

    async def stop(self, seconds: float = 10.0) -> None:
        """Begin nothing more, and let what is under way end, for so long at most; then cut it off."""
        state, clock = self._state, self._state.doors.clock
        state.is_stopping = True
        state.alarm.fire()
        for site in state.sites.values():
            while site.idle:
                site.idle.popleft().wake()
        end = clock.monotonic() + seconds
        while not self.is_idle and clock.monotonic() < end:
            await clock.sleep(STOP_STEP)
        self._traffic.cut_off()

    @property
    def is_idle(self) -> bool:
        """Return whether there is no connection, and all is noted."""
        is_noted = self._parts.ledger.is_empty and self._parts.reports.is_empty
        return not self._state.connections and is_noted

    async def _run(self) -> None:
        """Look at what has become due, some at a time."""
        state, clock = self._state, self._state.doors.clock
        while not state.is_stopping:
            if state.doors.spool.generation() != self._generation:
                await self._look_at_all()
            for timed in state.timers.due(state.time.now(), SLICE):
                self._look(timed)
            upcoming = state.timers.next_time()
            left = LONGEST_SLEEP if upcoming is None else upcoming - state.time.now()
            if left <= 0:
                await clock.sleep(0)
                continue
            state.asleep_until = math.inf if upcoming is None else upcoming
            await state.alarm.wait(min(left, LONGEST_SLEEP))
            state.asleep_until = 0.0

    async def _look_at_all(self) -> None:
        """Look at all destinations: what is on disk was mended, and more may wait than was known."""
        generation = self._state.doors.spool.generation()
        with suppress(Unavailable):  # or else soon again
            await self._take_up(await self._state.doors.spool.destinations())
            self._parts.reports.look_at_disk()
            self._generation = generation

    def _look(self, timed: Timed) -> None:
        """Look at what is due; a bug there stops nobody else."""
        try:
            self._traffic.look(timed)
        except Exception:
            self._state.doors.journal.failed("queue")

    async def _recount(self) -> None:
        """Look every hour whether somebody waits on disk who is not known here: nobody should."""
        state, clock = self._state, self._state.doors.clock
        while not state.is_stopping:
            await clock.sleep(RECOUNT_SECONDS)
            self._parts.reports.look_at_disk()
            with suppress(Unavailable):
                for number, each in enumerate(await state.doors.spool.destinations(), 1):
                    if each.destination not in state.destinations:
                        state.remind(each.destination, each.first_due)
                    if number % LOADED == 0:
                        await clock.sleep(0)

    # ------------------------------------------------------------ what others do to the spool

    def accepted(self, job: QueuedJob, recipients: Sequence[OwedRecipient]) -> None:
        """Have a job that is durable go, its message being in memory still.

        A bug here is logged, and the job read from disk: a sender that heard of it would send again.
        """
        try:
            self._traffic.accepted(job, recipients)
        except Exception:
            self._state.doors.journal.failed("queue")
            for one in recipients:
                if one.state is RecipientState.WAITING:
                    self._state.remind(one.destination, one.due)

    def overrule(self, change: SpoolChange) -> None:
        """Let a change count for more than attempts that are under way. Called before it is made."""
        unsure = {(id, recipient.number) for id, recipient in change.provided}
        altered = [(id, recipient.number) for id, recipient in change.altered]
        for key in (*change.gone, *altered):
            if key not in unsure:  # that was held, and is not taken as long as it is
                self._state.claims.overrule(key)

    def changed(self, change: SpoolChange) -> None:
        """Take up what a change that is durable has made due."""
        for _, recipient in change.altered:
            if recipient.state is RecipientState.WAITING:
                self._state.remind(recipient.destination, recipient.due)
        for new in change.new:
            self.accepted(new.job, new.recipients)

    # ------------------------------------------------------------ the operator

    def suspend(self, suspension: Suspension) -> None:
        """Begin nothing more that it stops; what is under way ends as it ends."""
        self._state.suspensions.add(suspension)

    def resume(self, kind: SuspensionKind, name: str) -> None:
        """Go on with what was stopped."""
        self._state.suspensions.remove(kind, name)
        for queue in tuple(self._state.destinations.values()):
            if kind == "domain" and queue.destination.name == name:
                queue.remind(0.0)
                self._traffic.go(queue)
        for site in tuple(self._state.sites.values()):
            if kind == "site" and site.name == name:
                self._traffic.serve_more(site)

    def look_again(self, destinations: Collection[Destination], is_at_once: bool) -> None:
        """Read anew what is due for destinations, with ``is_at_once`` even where their sites rest."""
        for destination in destinations:
            queue = self._state.queue(destination)
            self._state.drop_ready(queue)
            queue.remind(0.0)
            if is_at_once:
                queue.rest_until = 0.0
                if queue.site is not None:
                    self._parts.conditions.wake(queue.site)
            self._traffic.go(queue)

    def destinations_of(self, site: str) -> Collection[Destination]:
        """Return the destinations that are known to lie behind a site."""
        return explanation.destinations_of(self._state, site)

    def waits_for(self, destination: Destination) -> WaitReason:
        """Return what mail for a destination that is due waits for."""
        return explanation.waits_for(self._state, destination)

    def site_states(self, site: str) -> list[dict[str, Any]]:
        """Return how the sites of a name are used now, as data for the operator."""
        return [explanation.site_data(one) for one in self.sites(site)]

    def sites(self, name: str) -> list[SiteState]:
        """Return how the sites of a name are used: mostly one, or none."""
        found = [site for site in self._state.sites.values() if site.name == name]
        return [site_state(self._state, site) for site in found]
