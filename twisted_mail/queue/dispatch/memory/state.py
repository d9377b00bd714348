"""All that the dispatcher has in memory, and the doors that it works with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from sys import intern

from twisted_mail.interfaces import (
    Carrier,
    Clock,
    DueRecipient,
    JobSpool,
    Journal,
    QueueJournal,
    Reports,
    Site,
    SiteRecord,
    Tasks,
)
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import NewJob, QueuedJob, RecipientState
from twisted_mail.queue.dispatch.memory.claims import Claims
from twisted_mail.queue.dispatch.memory.known_site import site_key
from twisted_mail.queue.dispatch.memory.queues import DestinationQueue, SiteQueue
from twisted_mail.queue.dispatch.memory.ready_recipients import ReadyRecipients
from twisted_mail.queue.dispatch.memory.remembered import shared
from twisted_mail.queue.dispatch.memory.steady_time import SteadyTime
from twisted_mail.queue.dispatch.memory.suspensions import Suspensions
from twisted_mail.queue.dispatch.memory.timers import Timed, Timers
from twisted_mail.queue.dispatch.settings import DispatchSettings, ScheduleSettings
from twisted_mail.queue.spool.turns import submitter_of

VALID_SECONDS = 300.0  # the site of a destination is looked up again after these
SHARE = 8  # a destination may fill this part of what is free, and so never all of it
LEAST_SHARE = 10  # recipients that a destination may have ready however full it is
CROWDED = 0.75  # of all that may be ready: from here on only those in turn are kept


@dataclass(frozen=True, slots=True)
class DispatchDoors:
    """What the dispatcher works with."""

    spool: JobSpool
    carriers: Mapping[str, Carrier]
    reports: Reports
    clock: Clock
    tasks: Tasks
    journal: Journal
    events: QueueJournal


class DispatchState:
    """Destinations, sites and what is ready: what all parts of the dispatcher share."""

    def __init__(
        self, doors: DispatchDoors, schedule: ScheduleSettings, settings: DispatchSettings
    ) -> None:
        self.doors = doors
        self.schedule = schedule
        self.settings = settings
        self.time = SteadyTime(doors.clock)
        self.destinations: dict[Destination, DestinationQueue] = {}
        self.sites: dict[str, SiteQueue] = {}
        self.timers = Timers()
        self.claims = Claims()
        self.suspensions = Suspensions()
        self.alarm = doors.tasks.signal()  # something is to be looked at earlier than was known
        self.asleep_until = 0.0  # 0: not asleep
        self.ready_count = 0
        self.connections = 0
        self.unwell = 0  # sites that could not be reached the last time
        self.is_stopping = False

    # ------------------------------------------------------------ destinations and sites

    def queue(self, destination: Destination) -> DestinationQueue:
        """Return a destination, a new one if it is not known."""
        queue = self.destinations.get(destination)
        if queue is None:
            queue = self.destinations[destination] = DestinationQueue(destination)
        return queue

    def site_queue(self, site: Site) -> SiteQueue:
        """Return a site with its present limits, a new one if it is not known."""
        key = site_key(site)
        queue = self.sites.get(key)
        if queue is None:
            queue = self.sites[key] = SiteQueue(site)
        queue.limits = shared(site.limits)
        return queue

    def known(self, site: SiteQueue) -> SiteQueue:
        """Return the site as it is known now: the one given, if it was forgotten meanwhile."""
        return self.sites.setdefault(site.key, site)

    def remember(self, record: SiteRecord, now: float, longest_rest: float) -> None:
        """Take up what is known of a site from before the start."""
        carrier, _, name = record.name.partition(":")
        queue = self.sites[record.name] = SiteQueue(Site(intern(carrier), name), record)
        self.unwell += bool(queue.failures)
        queue.rest_until = min(queue.rest_until, now + longest_rest)  # whatever the clock was then
        is_resting = queue.rest_until > now
        self.look_at(queue, queue.rest_until if is_resting else now + longest_rest)

    def forget_if_empty(self, queue: DestinationQueue) -> None:
        """Forget a destination for which nothing waits, once its site is not known for sure any more."""
        if not queue.is_empty:
            return
        known_until = queue.found_at + VALID_SECONDS
        if queue.site is not None and known_until > self.time.now() and not self.is_stopping:
            if not queue.timer:
                self.look_at(queue, known_until)
            return
        self.timers.clear(queue)
        if self.destinations.get(queue.destination) is queue:
            del self.destinations[queue.destination]
        if queue.site is not None:
            self.forget_site(queue.site)

    def forget_site(self, site: SiteQueue) -> None:
        """Forget a site of which nothing is to be remembered."""
        key = site.key
        if site.is_forgettable and self.sites.get(key) is site:
            del self.sites[key]

    def note_failures(self, site: SiteQueue, number: int) -> None:
        """Note how often in a row a site could not be reached."""
        self.unwell += bool(number) - bool(site.failures)
        site.failures = number

    # ------------------------------------------------------------ time

    def look_at(self, timed: Timed, at: float) -> None:
        """Have a destination or site looked at at a time (0: now)."""
        self.timers.set(timed, max(at, 1.0))
        if at < self.asleep_until and not self.is_stopping:
            self.alarm.fire()

    def remind(self, destination: Destination, due: float) -> None:
        """Note that a recipient on disk is due at a time."""
        queue = self.queue(destination)
        queue.remind(due)
        if not queue.in_turn and (not queue.timer or due < queue.timer):
            self.look_at(queue, due)

    def note_new(self, new: NewJob) -> None:
        """Have the recipients of a job that is on disk go when they are due."""
        for recipient in new.recipients:
            if recipient.state is RecipientState.WAITING:
                self.remind(recipient.destination, recipient.due)

    # ------------------------------------------------------------ what is ready

    @property
    def is_crowded(self) -> bool:
        """Return whether so much is ready that only those in turn keep theirs."""
        return self.ready_count > CROWDED * self.settings.ready

    def allowance(self, queue: DestinationQueue) -> int:
        """Return how many more recipients of a destination may be made ready.

        Each may fill a part of what is free. So those that are slow leave room for the others.
        """
        settings = self.settings
        least = min(LEAST_SHARE, settings.ready_per_destination)
        free = settings.ready - settings.connections * LEAST_SHARE - self.ready_count
        most = min(settings.ready_per_destination, max(free // SHARE, least))
        return max(most - queue.ready_count, 0)

    def make_ready(self, queue: DestinationQueue, row: DueRecipient) -> None:
        """Make a recipient ready whom nobody has taken; there must be room."""
        if queue.ready is None:
            queue.ready = ReadyRecipients()
        self.ready_count += queue.ready.add(row)

    def take_ready(self, queue: DestinationQueue) -> tuple[str, Sequence[int]]:
        """Take the job whose turn it is, and the recipients of one transaction. There must be some."""
        assert queue.ready is not None
        job, numbers = queue.ready.take(self.settings.recipients)
        self.ready_count -= len(numbers)
        if not queue.ready.count:
            queue.ready = None
        return job, numbers

    def limit_ready(self, queue: DestinationQueue, job: QueuedJob, most: int) -> None:
        """Let at most so many recipients of a job go together."""
        if queue.ready is not None:
            queue.ready.limit(submitter_of(job), job.id, most)

    def drop_ready(self, queue: DestinationQueue) -> None:
        """Have what is ready wait on disk again."""
        if queue.ready is not None:
            self.ready_count -= queue.ready.count
            queue.ready = None
            queue.remind(0.0)
