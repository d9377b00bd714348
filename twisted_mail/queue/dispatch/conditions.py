"""In which state sites are: they rest when they cannot be reached, and that survives a restart."""

from dataclasses import replace

from twisted_mail.interfaces import SiteRecord
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import Transaction
from twisted_mail.queue.dispatch.memory.queues import DestinationQueue, SiteQueue
from twisted_mail.queue.dispatch.memory.state import DispatchState
from twisted_mail.queue.dispatch.schedule import rest_seconds


class SiteConditions:
    """Notes how connections to sites went."""

    def __init__(self, state: DispatchState) -> None:
        self._state = state

    def succeeded(self, site: SiteQueue, destination: Destination) -> None:
        """Note that something was delivered; what rested does so no longer."""
        queue = self._state.destinations.get(destination)
        if queue is not None and queue.failures:
            queue.failures, queue.last, queue.rest_until = 0, None, 0.0
        was_unwell = site.failures
        site.pace.succeeded(site.limits, self._state.time.now())
        site.pause_until = 0.0
        if was_unwell:
            self._state.note_failures(site, 0)
            site.rest_until, site.last = 0.0, None
            self._state.timers.clear(site)
            self.save(site)

    def unreachable(
        self, site: SiteQueue, attempt: Attempt, first: Transaction | None = None
    ) -> None:
        """Note that a connection could not be made, or ``first`` could not go over it.

        The site rests once all connections that it had have failed in a row. Its mail is not touched.
        """
        site.last = attempt
        if site.pace.failed(site.connections):
            self._rest(site, attempt, first)
        else:
            self.pause(site, site.pace.fruitless())

    def unreachable_alone(
        self, site: SiteQueue, destination: Destination, attempt: Attempt
    ) -> None:
        """Note that a host of one destination cannot be reached: that one rests, and not its site."""
        state, queue = self._state, self._state.queue(destination)
        if queue.rests(state.time.now()):  # another connection has found that out
            return
        queue.failures += 1
        queue.last = attempt
        queue.rest_until = state.time.now() + rest_seconds(queue.failures)
        state.drop_ready(queue)
        state.doors.events.tried("", destination, site.name, attempt, queue.rest_until)

    def _rest(self, site: SiteQueue, attempt: Attempt, first: Transaction | None) -> None:
        state = self._state
        place = _place(site) if first is None else first.destination
        state.note_failures(site, site.failures + 1)
        site.rest_until = state.time.now() + rest_seconds(site.failures, state.unwell)
        site.begin_anew()  # slow start, with one connection as a probe
        self._drop_ready(site)
        state.look_at(site, site.rest_until)
        self.save(site, attempt)
        id = "" if first is None else first.job.id
        state.doors.events.tried(id, place, site.name, attempt, site.rest_until)

    def _drop_ready(self, site: SiteQueue) -> None:
        """Let all that is in memory for a site wait on disk."""
        queue: DestinationQueue | None = site.top
        while queue is not None:
            self._state.drop_ready(queue)
            queue = queue.following

    def slowed_down(self, site: SiteQueue, attempt: Attempt) -> None:
        """Note an answer that asks for fewer connections, or that ended one after so many messages."""
        if site.closed_at(attempt.use):
            self.save(site)
        elif attempt.use < 2 or attempt.use - 1 != site.max_messages:
            site.last = attempt
            now = self._state.time.now()
            self.pause(site, site.pace.slowed_down(site.connections, now))

    def fruitless(self, site: SiteQueue) -> None:
        """Note a connection that ended without a word."""
        self.pause(site, site.pace.fruitless())

    def pause(self, site: SiteQueue, seconds: float) -> None:
        """Let a site have no further connection for so long."""
        site.pause_until = max(site.pause_until, self._state.time.now() + seconds)
        if site.rest_until <= site.pause_until:
            self._state.look_at(site, site.pause_until)

    def avoid(self, site: SiteQueue, version: int) -> None:
        """Remember the IP version that a site refuses by policy."""
        if site.avoids != version:
            site.avoids = version
            self.save(site)

    def wake(self, site: SiteQueue) -> None:
        """Let a site rest and pause no longer."""
        site.rest_until = site.pause_until = 0.0

    def forget(self, site: SiteQueue) -> None:
        """Let a site for which nothing waits be as a new one, but for what was learned of its hosts."""
        if site.failures:
            self._state.note_failures(site, 0)
            site.rest_until, site.last = 0.0, None
            site.begin_anew()
            self.save(site)
        self._state.forget_site(site)

    def save(self, site: SiteQueue, last: Attempt | None = None) -> None:
        """Remember what is known of a site over restarts, with its last attempt if that is new."""
        record = site.record if last is None else replace(site.record, last=last)
        self._state.doors.tasks.start("queue", self._save(record))

    async def _save(self, record: SiteRecord) -> None:
        try:
            await self._state.doors.spool.save_site(record)
        except Unavailable as error:
            self._state.doors.journal.warned(f"site {record.name}", error.outcome.text)


def _place(site: SiteQueue) -> Destination:
    """Return a destination of a site."""
    if site.top is not None:
        return site.top.destination
    if site.loaded:
        return site.loaded[0].destination
    return Destination(site.carrier, site.name)
