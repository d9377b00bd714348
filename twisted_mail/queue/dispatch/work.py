"""What a carrier is given to do over one connection."""

from collections.abc import Callable, Mapping, Sequence

from twisted_mail.interfaces import SpoolChange
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, Transaction
from twisted_mail.queue.dispatch.conditions import SiteConditions
from twisted_mail.queue.dispatch.memory.queues import SiteQueue
from twisted_mail.queue.dispatch.memory.state import DispatchState
from twisted_mail.queue.dispatch.memory.taken import TakenTransaction
from twisted_mail.queue.dispatch.outcomes.conclusions import Conclusions
from twisted_mail.queue.dispatch.outcomes.ledger import Ledger
from twisted_mail.queue.dispatch.outcomes.owed_reports import OwedReports
from twisted_mail.queue.dispatch.supply import Supply

READ_SECONDS = 1.0  # for which a connection waits at least while its next transaction is read


class WorkParts:
    """The parts of the dispatcher that all connections share."""

    def __init__(self, state: DispatchState) -> None:
        self.state = state
        self.reports = OwedReports(state)
        self.ledger = Ledger(state, self.reports)
        self.conclusions = Conclusions(state, self.ledger)
        self.conditions = SiteConditions(state)
        self.supply = Supply(state, self.ledger)


class SiteWork:
    """Fulfils ``interfaces.Work`` for one connection of a site.

    ``is_proven`` is called when something was delivered, which may allow the site one more connection.
    """

    def __init__(self, parts: WorkParts, site: SiteQueue, is_proven: Callable[[], None]) -> None:
        self._parts = parts
        self._site = site
        self._is_proven = is_proven
        self._signal = parts.state.doors.tasks.signal()
        self._taken: dict[int, TakenTransaction] = {}  # by the transaction's identity
        self._count = 0
        self._is_opening = True
        self._is_over = False
        self._was_heard = False  # it brought a result, or said why it has none

    # ------------------------------------------------------------ giving

    def next(self) -> Transaction | None:
        """Take the next transaction; None where there is none in memory."""
        self._opened()
        if self._is_to_end:
            return None
        site = self._site
        if len(site.loaded) < site.depth:
            self._parts.supply.fill(site)
        while site.loaded:
            taken = site.loaded.popleft()
            if not self._is_to_wait(taken):
                self._taken[id(taken.transaction)] = taken
                self._count += 1
                return taken.transaction
            self._parts.supply.put_back(site, taken)
            self._parts.supply.fill(site)
        return None

    def _is_to_wait(self, taken: TakenTransaction) -> bool:
        """Return whether the operator has altered a recipient since it was read, or its host rests."""
        state, job = self._parts.state, taken.transaction.job.id
        claims = state.claims
        if state.queue(taken.destination).rests(state.time.now()):
            return True
        return claims.any_overruled and any(
            claims.is_overruled((job, number)) for number in taken.open
        )

    async def wait(self, seconds: float) -> Transaction | None:
        """Take the next transaction, and wait for one for so long at most.

        A moment longer while one is read from disk: to connect anew costs more.
        """
        clock = self._parts.state.doors.clock
        began = clock.monotonic()
        while (found := self.next()) is None:
            if self._site.is_filling:
                seconds = max(seconds, READ_SECONDS)
            left = began + seconds - clock.monotonic()
            if left <= 0 or self._is_to_end:
                return None
            self._site.idle.append(self)
            if not await self._signal.wait(left) and self in self._site.idle:
                self._site.idle.remove(self)
        return found

    def wake(self) -> None:
        """Have ``wait`` look again."""
        self._signal.fire()

    @property
    def _is_to_end(self) -> bool:
        """Return whether the connection gets no more work."""
        site, state = self._site, self._parts.state
        most = site.max_messages
        if self._is_over or state.is_stopping or (most and self._count >= most):
            return True
        if site.connections > site.window and not self._taken:
            return True
        now = state.time.now()
        is_stopped = state.suspensions.of_site(site.name, now) is not None
        return is_stopped or site.rest_until > now or self._parts.ledger.is_full

    def _opened(self) -> None:
        if self._is_opening:
            self._is_opening = False
            self._site.opening -= 1

    # ------------------------------------------------------------ results

    def done(self, transaction: Transaction, attempts: Mapping[int, Attempt]) -> None:
        """Note how each recipient's attempt ended, by their numbers."""
        taken = self._taken.get(id(transaction))
        if taken is None:
            return
        self._was_heard = True
        if self._parts.conclusions.conclude(self._site.name, taken, attempts):
            self._parts.conditions.succeeded(self._site, taken.destination)
            self._is_proven()
        if not taken.open:
            del self._taken[id(transaction)]

    async def advance(
        self, transaction: Transaction, recipient: OwedRecipient, new: Sequence[NewJob]
    ) -> None:
        """Note that a recipient is served in part, with jobs that come of it. Raises Unavailable."""
        state, job = self._parts.state, transaction.job
        if not state.claims.is_overruled((job.id, recipient.number)):
            await state.doors.spool.apply(SpoolChange(altered=[(job.id, recipient)], new=new))
            for one in new:
                state.note_new(one)
            if new:
                state.doors.events.expanded(job, recipient, new)
        taken = self._taken.get(id(transaction))
        if taken is not None and recipient.number in taken.open:
            taken.open[recipient.number] = recipient

    def unreachable(self, attempt: Attempt, destination: Destination | None = None) -> None:
        """Note that the site cannot be reached, or one destination of it."""
        self._was_heard = True
        if destination is not None:
            self._parts.conditions.unreachable_alone(self._site, destination, attempt)
            self._give_back(destination)
            return
        taken = next(iter(self._taken.values()), None)
        first = taken.transaction if taken is not None else None
        self._parts.conditions.unreachable(self._site, attempt, first)

    def _give_back(self, destination: Destination) -> None:
        """Let what was taken for a destination be as it was."""
        for key, taken in list(self._taken.items()):
            if taken.destination == destination:
                del self._taken[key]
                self._parts.supply.put_back(self._site, taken)

    def slow_down(self, attempt: Attempt) -> None:
        """Note an answer that asks for fewer connections."""
        self._was_heard = True
        self._parts.conditions.slowed_down(self._site, attempt)

    @property
    def avoids(self) -> int:
        """Return the IP version that the site refuses by policy, or 0."""
        return self._site.avoids

    def avoid(self, version: int) -> None:
        """Remember the IP version that the site refuses by policy."""
        self._parts.conditions.avoid(self._site, version)

    # ------------------------------------------------------------ the end

    def end(self) -> None:
        """Give back what has not ended, and count the connection no more."""
        has_not_asked = self._is_opening
        self._opened()
        self._is_over = True
        site, parts = self._site, self._parts
        if self in site.idle:
            site.idle.remove(self)
        if not self._was_heard and (self._taken or has_not_asked):
            parts.conditions.fruitless(site)
        for taken in self._taken.values():
            parts.supply.put_back(site, taken)
        self._taken.clear()
        site.end()
        if not site.connections and not site.is_filling:
            parts.supply.unload(site)
