"""What is in memory of destinations and sites: little, however much waits for them."""

from collections import deque
from typing import Protocol

from twisted_mail.interfaces import Site, SiteRecord
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.queue.dispatch.memory.first_turns import FirstTurns
from twisted_mail.queue.dispatch.memory.known_site import KnownSite
from twisted_mail.queue.dispatch.memory.ready_recipients import ReadyRecipients
from twisted_mail.queue.dispatch.memory.taken import TakenTransaction

SHORT = 2  # destinations in a line in which nobody waits long
LOADED = 4  # connections for which one more transaction is in memory ahead of its turn


class DestinationQueue:
    """A destination for which mail waits.

    ``is_on_disk``: there may be more to read than what is in memory, due at ``next_due`` or later (0:
    now). ``ready`` has what waits for its turn, and is None rather than empty. It rests after
    ``failures`` in a row to find its site, or to reach a host that is its own, for the reason that
    ``last`` gives. It is ``in_turn`` while it
    stands in its site's line, ``following`` being the next one; ``is_busy`` while a task reads for it or
    looks its site up. ``under_way`` counts the recipients that were taken and are not noted yet.
    """

    __slots__ = (
        "destination",
        "failures",
        "following",
        "found_at",
        "in_turn",
        "is_busy",
        "is_on_disk",
        "last",
        "next_due",
        "ready",
        "rest_until",
        "site",
        "timer",
        "under_way",
    )

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self.site: SiteQueue | None = None
        self.found_at = 0.0  # when its site was looked up
        self.ready: ReadyRecipients | None = None
        self.is_on_disk = False
        self.next_due = 0.0
        self.timer = 0.0
        self.rest_until = 0.0
        self.failures = 0
        self.last: Attempt | None = None
        self.following: DestinationQueue | None = None
        self.in_turn = False
        self.is_busy = False
        self.under_way = 0

    def remind(self, due: float) -> None:
        """Note that a recipient on disk is due at a time."""
        if not self.is_on_disk or due < self.next_due:
            self.next_due = due
        self.is_on_disk = True

    def rests(self, now: float) -> bool:
        """Return whether it rests, whatever its site does."""
        return self.rest_until > now

    @property
    def is_unreached(self) -> bool:
        """Return whether its site was found, and a host of its own did not answer."""
        return self.last is not None and bool(self.last.host or self.last.address)

    def has_due(self, now: float) -> bool:
        """Return whether something is ready, or to be read."""
        return self.ready is not None or (self.is_on_disk and self.next_due <= now)

    @property
    def ready_count(self) -> int:
        """Return how many recipients are ready."""
        return 0 if self.ready is None else self.ready.count

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is known to wait for it."""
        is_at_rest = not (self.is_on_disk or self.in_turn or self.is_busy)
        return is_at_rest and self.ready is None and not self.under_way


class IdleConnection(Protocol):
    """A connection of a site that waits for work."""

    def wake(self) -> None:
        """Have it look again."""


class SiteQueue(KnownSite):
    """A site that is in use, or of which something is remembered.

    Its destinations with something to do stand in a line; those in ``first`` may go before their turn.
    ``loaded`` are the transactions in memory whose turn has come, ``idle`` the connections that wait for
    one; ``opening`` counts those that have not asked for any yet. It gets no further connection before
    ``pause_until``.
    """

    __slots__ = (
        "connections",
        "first",
        "idle",
        "in_turn",
        "is_filling",
        "is_waiting",
        "loaded",
        "opening",
        "pause_until",
        "tail",
        "timer",
        "top",
    )

    def __init__(self, site: Site, record: SiteRecord | None = None) -> None:
        super().__init__(site, record)
        self.pause_until = 0.0
        self.timer = 0.0
        self.top: DestinationQueue | None = None
        self.tail: DestinationQueue | None = None
        self.in_turn = 0
        self.first: FirstTurns[DestinationQueue] | None = None
        self.connections = self.opening = 0
        self.idle: deque[IdleConnection] = _NONE_IDLE
        self.loaded: deque[TakenTransaction] = _NONE_LOADED
        self.is_filling = False
        self.is_waiting = False  # for a connection, where there are too many

    # ------------------------------------------------------------ destinations in turn

    def append(self, queue: DestinationQueue) -> None:
        """Put a destination at the end of the line."""
        queue.in_turn, queue.following = True, None
        if self.tail is None:
            self.top = queue
        else:
            self.tail.following = queue
        self.tail = queue
        self.in_turn += 1

    def pop(self) -> DestinationQueue | None:
        """Take the destination whose turn it is; None if none stands in line."""
        queue = self.top
        if queue is not None:
            self.top = queue.following
            if self.top is None:
                self.tail = None
            queue.in_turn, queue.following = False, None
            self.in_turn -= 1
        return queue

    def prefer(self, queue: DestinationQueue, submitter: str) -> None:
        """Let a destination in line go soon, for new mail of a submitter."""
        if self.in_turn > SHORT:
            self.first = self.first or FirstTurns()
            self.first.add(submitter, queue)

    def next_turn(self) -> DestinationQueue | None:
        """Return the destination that goes next, out of the line if its turn has come there."""
        found = self.first.take() if self.first is not None else None
        if found is None:
            return self.pop()
        submitter, queue = found
        if queue is self.top or queue.site is not self or not queue.in_turn:
            return self.pop()
        if queue.ready is None or not queue.ready.prefer(submitter):
            return self.pop()
        return queue

    # ------------------------------------------------------------ connections

    def begin(self) -> None:
        """Count a connection that is opened."""
        if self.loaded is _NONE_LOADED:
            self.idle, self.loaded = deque(), deque()
        self.connections += 1
        self.opening += 1

    def end(self) -> None:
        """Count a connection that has ended."""
        self.connections -= 1

    def release(self) -> None:
        """Give up the room that only connections need."""
        if not self.connections and not self.loaded:
            self.idle, self.loaded = _NONE_IDLE, _NONE_LOADED

    @property
    def depth(self) -> int:
        """Return how many transactions are read ahead of their turn."""
        return 1 + self.connections // LOADED

    @property
    def backlog(self) -> int:
        """Return how many transactions are there, as far as it matters: not less than two for many."""
        jobs = self.top.ready.job_count if self.top is not None and self.top.ready else 1
        return len(self.loaded) + (self.in_turn - 1 + jobs if self.in_turn else 0)

    def is_due(self, now: float) -> bool:
        """Return whether it neither rests nor pauses."""
        return self.rest_until <= now and self.pause_until <= now

    @property
    def is_forgettable(self) -> bool:
        """Return whether it is as a new one would be."""
        is_in_use = bool(self.in_turn or self.connections or self.loaded or self.is_filling)
        is_awaited = bool(self.is_waiting or self.timer)
        return not (is_in_use or is_awaited or self.failures or self.max_messages or self.avoids)


# What most sites have: an empty deque takes 600 octets. Nothing is ever put into them.
_NONE_IDLE: deque[IdleConnection] = deque(maxlen=0)
_NONE_LOADED: deque[TakenTransaction] = deque(maxlen=0)
