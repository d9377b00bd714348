"""Who goes: which destination stands in whose line, and which site gets a connection."""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from twisted_mail.interfaces import Carrier, DueRecipient, Site
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, RecipientState
from twisted_mail.queue.dispatch.lookups import Lookups
from twisted_mail.queue.dispatch.memory.queues import DestinationQueue, SiteQueue
from twisted_mail.queue.dispatch.memory.state import VALID_SECONDS
from twisted_mail.queue.dispatch.memory.suspensions import ends_at
from twisted_mail.queue.dispatch.memory.timers import Timed
from twisted_mail.queue.dispatch.work import SiteWork, WorkParts
from twisted_mail.queue.spool.turns import due_recipient, submitter_of

UNPROVEN = 0.75  # of all connections that sites may have together that delivered nothing yet
CAREFUL = 0.5  # of all connections; with more, a site that delivered nothing yet has one
AT_ONCE = 1_000  # recipients of one job that are made ready; the others are read from disk
PREFERRED = 10  # submitters for whom a destination that comes into the line goes soon
AT_WAKING = 20  # destinations of a site that are looked up anew when its rest is over
FULL_SECONDS = 5.0  # until a site is looked at again for which too much is not noted yet


def _nothing() -> None:
    """Do nothing: there is nothing to cancel yet."""


class Traffic:
    """Opens connections for what is ready, as many as there may be, to sites in turn.

    Sites that deliver go before those of which nothing is known yet, so that a thousand dead ones cost
    the others nothing.
    """

    def __init__(self, parts: WorkParts) -> None:
        self._parts = parts
        self._state = parts.state
        self._lookups = Lookups(parts.state, parts.conclusions, self._found, self.go)
        self._proven: deque[SiteQueue] = deque()  # that wait for a connection
        self._unproven: deque[SiteQueue] = deque()
        self._unproven_connections = 0
        self._unserved: deque[SiteQueue] = deque()
        self._is_serving = False
        self._serving: dict[object, Callable[[], None]] = {}  # what cancels each connection

    # ------------------------------------------------------------ new mail

    def accepted(self, job: QueuedJob, recipients: Sequence[OwedRecipient]) -> None:
        """Have a new job's recipients go at once, as far as they are due, without a read from disk."""
        state, now = self._state, self._state.time.now()
        queues: dict[Destination, DestinationQueue] = {}
        for place, recipient in enumerate(recipients):
            if recipient.state is not RecipientState.WAITING:
                continue
            destination = recipient.destination
            if recipient.due > now or place >= AT_ONCE:
                state.remind(destination, recipient.due)
                continue
            queue = queues.get(destination)
            if queue is None:
                queue = queues[destination] = state.queue(destination)
            self._make_ready(queue, due_recipient(job, recipient), now)
        for queue in queues.values():
            if queue.in_turn and queue.site is not None:
                queue.site.prefer(queue, submitter_of(job))
            self.go(queue, is_fresh=True)

    def _make_ready(self, queue: DestinationQueue, row: DueRecipient, now: float) -> None:
        """Make a recipient ready, if there is room and the way is not known to be closed."""
        site = queue.site
        is_closed = queue.rest_until > now or (site is not None and site.rest_until > now)
        if is_closed or not self._has_room(queue, row.submitter):
            queue.remind(0.0)
        else:
            self._state.make_ready(queue, row)

    def _has_room(self, queue: DestinationQueue, submitter: str) -> bool:
        """Return whether one more may be ready, perhaps in the place of one of a submitter with many."""
        if self._state.is_crowded:
            return False
        if self._state.allowance(queue):
            return True
        if queue.ready is None or not queue.ready.make_way(submitter):
            return False
        self._state.ready_count -= 1
        queue.remind(0.0)
        return True

    # ------------------------------------------------------------ destinations

    def go(self, queue: DestinationQueue, is_fresh: bool = False) -> None:
        """Let a destination go on: into the line of its site, or to wait for its time."""
        if queue.is_busy:
            return
        site = queue.site
        if queue.in_turn:
            if site is not None:
                self.serve_more(site)
            return
        now = self._state.time.now()
        if not queue.has_due(now):
            self._put_away(queue)
        elif queue.rest_until > now:
            self._state.look_at(queue, queue.rest_until)
        elif (stop := self._state.suspensions.of_destination(queue.destination, now)) is not None:
            self._state.drop_ready(queue)
            self._state.look_at(queue, ends_at(stop, now))
        elif site is not None and queue.found_at + VALID_SECONDS > now:
            self._line_up(queue, site)
        else:
            self._lookups.want(queue, is_fresh)

    def _put_away(self, queue: DestinationQueue) -> None:
        if queue.is_on_disk:
            self._state.look_at(queue, queue.next_due)
        else:
            self._state.forget_if_empty(queue)

    def _found(self, queue: DestinationQueue, site: Site) -> None:
        """Take up the site that was found for a destination."""
        before, found = queue.site, self._state.site_queue(site)
        queue.site = found
        self._line_up(queue, found)
        if before is not None and before is not found:
            self.serve_more(before)
            self._state.forget_site(before)

    def _line_up(self, queue: DestinationQueue, site: SiteQueue) -> None:
        site = queue.site = self._state.known(site)
        if site.rest_until > self._state.time.now():
            self._state.drop_ready(queue)
        site.append(queue)
        if queue.ready is not None:
            for submitter in islice(queue.ready.submitters, PREFERRED):
                site.prefer(queue, submitter)
        self.serve_more(site)

    # ------------------------------------------------------------ sites

    def serve_more(self, site: SiteQueue) -> None:
        """Let the connections of a site that are idle go on; open others if these are not enough.

        A connection that ends at once asks for the next one in here: it waits until this one is through,
        so that the stack does not grow with the mail.
        """
        self._unserved.append(site)
        if self._is_serving:
            return
        self._is_serving = True
        try:
            while self._unserved:
                self._serve_one(self._unserved.popleft())
        finally:
            self._is_serving = False

    def _serve_one(self, site: SiteQueue) -> None:
        if site.idle and site.in_turn:
            self._parts.supply.fill(site)
        while self._wants_connection(site):
            if not self._has_place(site):
                self._wait_for_place(site)
                return
            self._open(site)

    def _wants_connection(self, site: SiteQueue) -> bool:
        if self._state.is_stopping or site.connections >= site.window or not site.in_turn:
            return False
        if site.backlog <= site.opening + len(site.idle):
            return False
        if self._parts.ledger.is_full:
            self._state.look_at(site, self._state.time.now() + FULL_SECONDS)
            return False
        now = self._state.time.now()
        stop = self._state.suspensions.of_site(site.name, now)
        if stop is not None:
            self._state.look_at(site, ends_at(stop, now))
        elif not site.is_due(now):
            self._state.look_at(site, max(site.rest_until, site.pause_until))
        return stop is None and site.is_due(now)

    def _has_place(self, site: SiteQueue) -> bool:
        """Return whether one more connection may be opened, and to this site."""
        most, now = self._state.settings.connections, self._state.connections
        if site.is_proven or not now:
            return now < most
        if site.connections and now >= CAREFUL * most:
            return False
        return now < most and self._unproven_connections < max(UNPROVEN * most, 1)

    def _wait_for_place(self, site: SiteQueue) -> None:
        if not site.is_waiting:
            site.is_waiting = True
            (self._proven if site.is_proven else self._unproven).append(site)

    def _open(self, site: SiteQueue) -> None:
        carrier = self._state.doors.carriers.get(site.carrier)
        if carrier is None:
            return
        site.begin()
        self._state.connections += 1
        is_unproven = not site.is_proven
        self._unproven_connections += is_unproven
        work = SiteWork(self._parts, site, lambda: self.serve_more(site))
        self._serving[work] = _nothing
        cancel = self._state.doors.tasks.start(
            "queue", self._serve(carrier, work, site, is_unproven)
        )
        if work in self._serving:  # it may have ended at once
            self._serving[work] = cancel

    def cut_off(self) -> None:
        """Cancel all connections; what has no answer is as it was."""
        for cancel in list(self._serving.values()):
            cancel()

    async def _serve(
        self, carrier: Carrier, work: SiteWork, site: SiteQueue, is_unproven: bool
    ) -> None:
        try:
            await carrier.serve(site.site, work)
        except Exception:
            if not self._state.is_stopping:  # else it was cancelled
                self._state.doors.journal.failed(f"carrier {site.carrier}")
        finally:
            del self._serving[work]
            work.end()
            self._state.connections -= 1
            self._unproven_connections -= is_unproven
            self._next_site()
            self.serve_more(site)
            self._state.forget_site(site)

    def _next_site(self) -> None:
        """Give the place of a connection that has ended to the sites that wait for one, in turn."""
        for line in (self._proven, self._unproven):
            for _ in range(len(line)):
                if not line or not self._has_place(line[0]):
                    break
                site = line.popleft()
                site.is_waiting = False
                self.serve_more(site)

    # ------------------------------------------------------------ time

    def look(self, timed: Timed) -> None:
        """Look at a destination or a site whose time has come."""
        if isinstance(timed, DestinationQueue):
            self.go(timed)
        elif isinstance(timed, SiteQueue):
            self._look_at_site(timed)

    def _look_at_site(self, site: SiteQueue) -> None:
        """Let a site go on whose rest or pause is over; after a rest its hosts are looked up anew."""
        now = self._state.time.now()
        if not site.is_due(now):
            self._state.look_at(site, max(site.rest_until, site.pause_until))
            return
        if not site.in_turn and not site.connections:
            self._parts.conditions.forget(site)
        elif site.failures and not site.connections:
            for _ in range(min(AT_WAKING, site.in_turn)):
                queue = site.pop()
                if queue is not None:
                    self._lookups.want(queue, is_fresh=False)
        self.serve_more(site)
