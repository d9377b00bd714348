"""What follows if no host of a destination can be spoken to.

Mostly its site rests. A provider's hosts have many names, and one of them that is down is no word on the
others: then that destination rests alone, until several in a row have failed.
"""

from twisted_mail.delivery.onward.attempts import (
    CLOSING,
    NO_SERVICE,
    as_temporary,
    failed,
    for_all,
    worst,
)
from twisted_mail.delivery.onward.memory import RecentlyKnown
from twisted_mail.delivery.onward.next_hosts import NextHosts
from twisted_mail.interfaces import Clock, Work
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import Transaction

REST_SECONDS = 300.0  # of a destination whose hosts are not reached, while its site may be
IN_A_ROW = 3  # destinations of a provider that are not reached, after which the provider is not

TOO_MANY = Outcome(451, "4.3.2", "All connections to the hosts of the domain are in use")


class UnreachedHosts:
    """Knows which destinations are not reached, and notes it for their mail."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._attempts: RecentlyKnown[Attempt] = RecentlyKnown(clock, REST_SECONDS)
        self._in_a_row: RecentlyKnown[frozenset[Destination]] = RecentlyKnown(clock, REST_SECONDS)

    def attempt(self, destination: Destination) -> Attempt | None:
        """Return why a destination is not to be tried now, or None."""
        return self._attempts[destination.name]

    def reached(self, hosts: NextHosts) -> None:
        """Note that a host was reached."""
        if self._in_a_row[hosts.site.name]:
            self._in_a_row[hosts.site.name] = frozenset()

    def note(
        self, failures: list[Attempt], hosts: NextHosts, first: Transaction, work: Work
    ) -> Transaction | None:
        """Note that no host was reached, for each that was tried: none if all were in use.

        Returns a transaction for another destination, if one came.
        """
        if not failures:
            work.slow_down(failed(TOO_MANY, self._clock.now()))
            return None
        if hosts.relay is None and all(map(_never_takes_mail, failures)):
            return _end_all(first, failures[-1], work)
        attempt = as_temporary(worst(failures))
        if attempt.outcome.code == CLOSING or attempt.reply_class is ReplyClass.RATE:
            work.slow_down(attempt)
        if self._is_of_site(attempt, hosts, first.destination):
            work.unreachable(attempt)
            return None
        self._attempts[first.destination.name] = attempt
        return _end_all(first, attempt, work)

    def _is_of_site(self, attempt: Attempt, hosts: NextHosts, destination: Destination) -> bool:
        if attempt.reply_class is ReplyClass.TLS and hosts.relay is None:
            return False  # others may demand less of the same hosts
        if not hosts.has_several_names:
            return True
        row = (self._in_a_row[hosts.site.name] or frozenset()) | {destination}
        self._in_a_row[hosts.site.name] = row
        return len(row) >= IN_A_ROW


def _never_takes_mail(attempt: Attempt) -> bool:
    """Return whether a host greets with that; later, and of a relay, it means ourselves."""
    return attempt.outcome.code == NO_SERVICE and not attempt.command


def _end_all(first: Transaction, attempt: Attempt, work: Work) -> Transaction | None:
    """End what there is now for a destination; return the first transaction for another one."""
    transaction: Transaction | None = first
    while transaction is not None and transaction.destination == first.destination:
        work.done(transaction, for_all(transaction, attempt))
        transaction = work.next()
    return transaction
