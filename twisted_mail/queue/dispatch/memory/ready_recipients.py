"""The recipients of one destination that are ready to go, and whose turn it is.

Submitters take turns. Within a submitter the jobs of the highest priority go first, and among these each
has one transaction in each round, the oldest first: a newsletter to 50,000 holds up nobody's letter, not
even its own sender's. Several jobs of one submitter share the turns of that one.
"""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from itertools import islice

from twisted_mail.interfaces import DueRecipient


class ReadyJob:
    """The recipients of a job that are ready, by number; of two jobs that goes first which is less."""

    __slots__ = ("_rank", "arrived", "id", "most", "numbers", "priority")

    def __init__(self, row: DueRecipient, round_number: int) -> None:
        self.id = row.job
        self.priority = row.priority
        self.arrived = row.arrived
        self.numbers: dict[int, None] = {}
        self.most: float = math.inf  # that may go together
        self.enter(round_number)

    def enter(self, round_number: int) -> None:
        """Take part in a round."""
        self._rank = (-self.priority, round_number, self.arrived, self.id)

    @property
    def round_number(self) -> int:
        """Return the round in which it goes next."""
        return self._rank[1]

    def __lt__(self, other: "ReadyJob") -> bool:
        return self._rank < other._rank


class SubmitterJobs:
    """The jobs of one submitter that are ready."""

    __slots__ = ("_heap", "_round", "count", "jobs")

    def __init__(self) -> None:
        self.jobs: dict[str, ReadyJob] = {}
        self._heap: list[ReadyJob] = []
        self._round = 0
        self.count = 0

    def add(self, row: DueRecipient) -> bool:
        """Add a recipient; return whether it was not there yet."""
        job = self.jobs.get(row.job)
        if job is None:
            job = self.jobs[row.job] = ReadyJob(row, self._round + 1)
            heappush(self._heap, job)
        if row.number in job.numbers:
            return False
        job.numbers[row.number] = None
        self.count += 1
        return True

    def take(self, limit: int) -> tuple[str, Sequence[int]]:
        """Take the recipients of one transaction."""
        job = heappop(self._heap)
        while self.jobs.get(job.id) is not job:  # it was dropped
            job = heappop(self._heap)
        self._round = max(self._round, job.round_number)
        numbers = tuple(islice(job.numbers, int(min(limit, job.most))))
        for number in numbers:
            del job.numbers[number]
        self.count -= len(numbers)
        if job.numbers:
            job.enter(job.round_number + 1)
            heappush(self._heap, job)
        else:
            del self.jobs[job.id]
        return job.id, numbers

    def drop_one(self) -> None:
        """Drop the recipient who came last of the job that came last."""
        id, job = self.jobs.popitem()
        job.numbers.popitem()
        self.count -= 1
        if job.numbers:
            self.jobs[id] = job


class ReadyRecipients:
    """The recipients of one destination that are ready."""

    __slots__ = ("_order", "_submitters", "count")

    def __init__(self) -> None:
        self._submitters: dict[str, SubmitterJobs] = {}
        self._order: deque[str] = deque()  # of the submitters, as their turns come
        self.count = 0

    @property
    def job_count(self) -> int:
        """Return how many jobs they are of, as far as it matters: many at least two."""
        first = self._submitters.get(self._order[0]) if self._order else None
        return len(self._submitters) - 1 + len(first.jobs) if first is not None else 0

    def add(self, row: DueRecipient) -> bool:
        """Add a recipient; return whether it was not there yet."""
        submitter = self._submitters.get(row.submitter)
        if submitter is None:
            submitter = self._submitters[row.submitter] = SubmitterJobs()
            self._order.append(row.submitter)
        is_new = submitter.add(row)
        self.count += is_new
        return is_new

    def take(self, limit: int) -> tuple[str, Sequence[int]]:
        """Take the job whose turn it is, and at most ``limit`` of its recipients. There must be some."""
        name = self._order.popleft()
        submitter = self._submitters[name]
        job, numbers = submitter.take(limit)
        self.count -= len(numbers)
        if submitter.jobs:
            self._order.append(name)
        else:
            del self._submitters[name]
        return job, numbers

    @property
    def submitters(self) -> Iterable[str]:
        """Return whose they are, as their turns come."""
        return self._order

    def prefer(self, submitter: str) -> bool:
        """Give a submitter the next turn; return whether anything is his."""
        if submitter not in self._submitters:
            return False
        if self._order[0] != submitter:
            self._order.remove(submitter)
            self._order.appendleft(submitter)
        return True

    def limit(self, submitter: str, job: str, most: int) -> None:
        """Let at most so many recipients of a job go together."""
        jobs = self._submitters.get(submitter)
        if jobs is not None and job in jobs.jobs:
            jobs.jobs[job].most = most

    def make_way(self, submitter: str) -> bool:
        """Drop a recipient of the submitter with most of them for one of another; return whether it did.

        Only where the other one has fewer by far: what was dropped is read from disk again.
        """
        largest = max(self._submitters.values(), key=lambda each: each.count)
        own = self._submitters.get(submitter)
        if largest is own or largest.count <= 2 * (own.count if own is not None else 0) + 1:
            return False
        largest.drop_one()
        self.count -= 1
        return True
