"""How many jobs there are, so that no program and no list keeps mail from the others.

Jobs that wait for a moderator are counted apart: a list that nobody looks after fills its own room alone.
"""

from collections import Counter

from twisted_mail.mail.job import Job
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.route import JobTarget, ProgramTarget

_BUSY = Outcome(452, "4.3.1", "Too much mail is waiting; try again later")
_TOO_MANY_HELD = Outcome(452, "4.3.1", "Too many messages wait for the owners of this list")


class JobCounts:
    """The numbers of jobs, by target.

    At most ``most`` wait to be delivered, of one program or list three quarters of these, and
    ``most_held`` of each list wait for a moderator.
    """

    def __init__(self, most: int, most_held: int) -> None:
        self._most = most
        self._most_of_one = max(1, most - most // 4)
        self._most_held = most_held
        self._waiting: Counter[str] = Counter()
        self._held: Counter[str] = Counter()

    def add(self, job: Job) -> None:
        """Count a job."""
        (self._held if job.is_held else self._waiting)[_name(job.target)] += 1

    def remove(self, job: Job) -> None:
        """Count a job no more."""
        counter, name = self._held if job.is_held else self._waiting, _name(job.target)
        counter[name] -= 1
        if counter[name] <= 0:
            del counter[name]

    def check_total(self, number: int) -> None:
        """Raise Unavailable if there is no room for so many more jobs."""
        if self._waiting.total() + number > self._most:
            raise Unavailable(_BUSY)

    def check(self, target: JobTarget, is_held: bool) -> None:
        """Raise Unavailable if there is no room for another job of this target."""
        name = _name(target)
        if is_held and self._held[name] >= self._most_held:
            raise Unavailable(_TOO_MANY_HELD)
        if not is_held and self._waiting[name] >= self._most_of_one:
            raise Unavailable(_BUSY)


def _name(target: JobTarget) -> str:
    return f"|{target.program}" if isinstance(target, ProgramTarget) else target.list
