"""Attempts, as they are noted of mail for other hosts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from twisted_mail.delivery.onward.dial_order import Place
from twisted_mail.delivery.onward.reply_classes import classify
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.job import Transaction
from twisted_mail.mail.trust import PassedOver

NO_SERVICE = 521  # of a host that never takes mail (RFC 7504 §3)
CLOSING = 421
NO_REQUIRETLS = "4.7.30"  # of a host that does not offer it, while others are asked
END_OF_MESSAGE = "."  # the command of an attempt that ended at the answer to the message
MAX_DOUBTS = 3  # tries at a host whose answers to a message are lost, before others are tried


def failed(outcome: Outcome, at: float) -> Attempt:
    """Return an attempt that failed before anybody was asked."""
    return Attempt(outcome, at, classify(outcome))


def passed_over(host: PassedOver, at: float) -> Attempt:
    """Return the attempt at a host that was not dialled, because of what it is to prove."""
    return Attempt(host.outcome, at, ReplyClass.TLS, host.host)


def is_about_tls(attempt: Attempt) -> bool:
    """Return whether a host has not proven what is demanded: trouble with the DNS says nothing of it."""
    return attempt.reply_class is ReplyClass.TLS and attempt.outcome.enhanced[1:4] == ".7."


def refused_for_tls(attempts: Sequence[Attempt]) -> Attempt:
    """Return the end of a message that requires TLS, where no host is good enough (RFC 8689 §4.2.1)."""
    last = attempts[-1]
    lacks_extension = last.outcome.enhanced == NO_REQUIRETLS
    enhanced = "5.7.30" if lacks_extension else "5.7.10"
    return replace(last, outcome=Outcome(550, enhanced, last.outcome.text))


def with_class(attempt: Attempt) -> Attempt:
    """Return an attempt with its class, unless it has one or was a success."""
    if attempt.reply_class is not ReplyClass.OTHER or attempt.outcome.is_success:
        return attempt
    return replace(attempt, reply_class=classify(attempt.outcome))


def for_all(transaction: Transaction, attempt: Attempt) -> Mapping[int, Attempt]:
    """Return the same attempt for each recipient, by their numbers."""
    return {recipient.number: attempt for recipient in transaction.recipients}


def worst(attempts: list[Attempt]) -> Attempt:
    """Return, of hosts that were not reached, the one that says most: the last that answered at all."""
    answered = [one for one in attempts if one.reply_class is not ReplyClass.NETWORK]
    return (answered or attempts)[-1]


def asks_for_less(attempt: Attempt) -> bool:
    """Return whether an answer asks for fewer connections, and not for one mailbox alone (4.2.1)."""
    if attempt.outcome.is_success:
        return False
    is_of_mailbox = attempt.outcome.enhanced[1:3] == ".2"
    is_rate = attempt.reply_class is ReplyClass.RATE and not is_of_mailbox
    return attempt.outcome.code == CLOSING or is_rate


def is_refused_by_policy(attempt: Attempt) -> bool:
    """Return whether a refusal may be about the address that we came from."""
    is_policy = attempt.reply_class in (ReplyClass.POLICY, ReplyClass.REPUTATION)
    return attempt.outcome.code >= 500 and is_policy


def repeated(transaction: Transaction) -> Attempt | None:
    """Return the last attempt for a recipient that is repeated at the same host, if there is one.

    A host that put a recipient off for being new waits for that. One whose answer to the whole message
    was lost may have it, and can see that it is the same; another host cannot. A few times: a host may
    lose each answer.
    """
    for recipient in transaction.recipients:
        last = recipient.last
        if last is None or not last.address:
            continue
        if last.reply_class is ReplyClass.GREYLIST:
            return last
        if _is_in_doubt(last) and recipient.tries <= MAX_DOUBTS:
            return last
    return None


def _is_in_doubt(attempt: Attempt) -> bool:
    """Return whether nobody knows if a message was taken (RFC 1047)."""
    return attempt.command == END_OF_MESSAGE and not attempt.is_reply


def place_of(attempt: Attempt) -> Place:
    """Return the host of an attempt, and its address."""
    return attempt.host, without_port(attempt.address)


def without_port(address: str) -> str:
    """Return the numeric address of ``192.0.2.1:587``, ``[2001:db8::1]:587``, or one without a port."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address
