"""What follows if no host of a destination can be spoken to.

Mostly its site rests. A provider's hosts have many names, and one of them that is down is no word on
the others; nor does it count for others if a destination's hosts are not those of its site any more, or
have not proven what is demanded for it. Then that destination rests alone. The mail stays as it is,
whatever code the hosts said: a greeting speaks for one host, and for no recipient.
"""

from twisted_mail.delivery.onward.attempts import CLOSING, NO_SERVICE, failed, for_all, worst
from twisted_mail.delivery.onward.next_hosts import NextHosts
from twisted_mail.interfaces import Work
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.job import Transaction

TOO_MANY = Outcome(451, "4.3.2", "All connections to the hosts of the domain are in use")
UNJUDGED = Outcome(451, "4.4.3", "What the domain demands of its mail hosts is not known yet")
MOVED = Outcome(451, "4.4.4", "The domain has other mail hosts than a moment ago")


def note_unreached(
    failures: list[Attempt], hosts: NextHosts, first: Transaction, work: Work, now: float
) -> Transaction | None:
    """Note that no host was reached, for each that was tried: none if all were in use.

    Returns a transaction for another destination, if one came.
    """
    if not failures:
        work.slow_down(failed(TOO_MANY, now))
        return None
    if hosts.relay is None and all(map(_never_takes_mail, failures)):
        return _end_all(first, failures[-1], work)
    attempt = worst(failures)
    if attempt.outcome.code == CLOSING or attempt.reply_class is ReplyClass.RATE:
        work.slow_down(attempt)
    if attempt.reply_class is ReplyClass.TLS and first.job.mail_parameters.requires_tls:
        work.done(first, for_all(first, attempt))  # demanded for this message alone
        return work.next()
    if _is_of_site(attempt, hosts):
        work.unreachable(attempt)
        return None
    return _rest_alone(attempt, first, work)


def note_unfound(
    attempt: Attempt, first: Transaction, work: Work, is_relayed: bool
) -> Transaction | None:
    """Note that a destination has no hosts; return a transaction for another one, if one came."""
    if not attempt.outcome.is_temporary:
        work.done(first, for_all(first, attempt))
        return work.next()
    if is_relayed:  # then no other destination has any
        work.unreachable(attempt)
        return None
    return _rest_alone(attempt, first, work)


def _rest_alone(attempt: Attempt, first: Transaction, work: Work) -> Transaction | None:
    """Let a destination rest; return a transaction for another one, if one came."""
    work.unreachable(attempt, first.destination)
    return work.next()


def moved(now: float) -> Attempt:
    """Return the attempt of a destination that is no longer of the site whose mail is handed on."""
    return Attempt(MOVED, now, ReplyClass.DNS)


def unjudged(now: float) -> Attempt:
    """Return the attempt of a destination about which the DNS or its web server takes long to answer."""
    return Attempt(UNJUDGED, now, ReplyClass.DNS)


def _is_of_site(attempt: Attempt, hosts: NextHosts) -> bool:
    if attempt.reply_class is ReplyClass.TLS and hosts.relay is None:
        return False  # others may demand less of the same hosts
    return not hosts.has_several_names


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
