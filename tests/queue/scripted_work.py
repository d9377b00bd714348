"""Work for a carrier that a test scripts."""

from collections.abc import Mapping, Sequence
from typing import Literal

from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, Transaction


class ScriptedWork:
    """Gives a carrier transactions, and keeps what it notes. Fulfils ``interfaces.Work``.

    ``attempts`` are by job and number; ``advanced`` are the states of recipients served in part,
    ``new`` the jobs that came of them. ``failure`` is raised by the next ``advance``.
    """

    avoids: Literal[0, 4, 6] = 0

    def __init__(self, *transactions: Transaction) -> None:
        self._left = list(transactions)
        self.attempts: dict[tuple[str, int], Attempt] = {}
        self.advanced: list[OwedRecipient] = []
        self.new: list[NewJob] = []
        self.ends: list[str] = []
        self.failure: Unavailable | None = None

    def next(self) -> Transaction | None:
        return self._left.pop(0) if self._left else None

    async def wait(self, seconds: float) -> Transaction | None:
        return self.next()

    def done(self, transaction: Transaction, attempts: Mapping[int, Attempt]) -> None:
        for number, attempt in attempts.items():
            assert (transaction.job.id, number) not in self.attempts
            self.attempts[transaction.job.id, number] = attempt

    async def advance(
        self, transaction: Transaction, recipient: OwedRecipient, new: Sequence[NewJob]
    ) -> None:
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        self.advanced.append(recipient)
        self.new += new

    def unreachable(self, attempt: Attempt, destination: Destination | None = None) -> None:
        alone = "" if destination is None else f" {destination}"
        self.ends.append(f"unreachable{alone} {attempt.outcome.text}")

    def slow_down(self, attempt: Attempt) -> None:
        self.ends.append(f"slow down {attempt.outcome.text}")

    def avoid(self, version: Literal[4, 6]) -> None:
        self.ends.append(f"avoid {version}")

    @property
    def outcomes(self) -> list[Outcome]:
        """Return how the attempts ended, in their order."""
        return [one.outcome for one in self.attempts.values()]
