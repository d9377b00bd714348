"""What goes over one connection: what the queue has for the site, as far as this host may get it."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from twisted_mail.delivery.onward.attempts import (
    CLOSING,
    asks_for_less,
    is_refused_by_policy,
    place_of,
    repeated,
    with_class,
)
from twisted_mail.delivery.onward.dial_order import Place
from twisted_mail.delivery.onward.large_mail import is_too_large
from twisted_mail.delivery.onward.next_hosts import NextHosts
from twisted_mail.interfaces import Work
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import Transaction

KnownHosts = Callable[[Transaction], NextHosts | None]
Refusal = tuple[Transaction, Mapping[int, Attempt]]  # recipients that were refused by policy


def _never() -> bool:
    return False


class ConnectionWork:
    """Gives a connection its transactions, and notes how they end.

    ``first`` is what it was opened for, at ``place``; ``known`` returns the hosts of another one, or None
    if they are not known, or their demands not met by what was proven on this connection. A transaction
    that may not go there is kept in ``left``, and ends the work; so do refusals by policy where the other
    version of IP is still to be tried (``may_change_version``): they are kept in ``refused``; and what is
    too large for this host where ``may_change_host`` says that others may be asked, in ``too_large``.
    ``is_wanted`` returns whether another connection waits for the end of this one, which is then not kept
    idle; ``is_owed`` whether this one is to end for it even where there is more to hand on.
    """

    def __init__(
        self,
        work: Work,
        first: Transaction,
        place: Place,
        known: KnownHosts,
        may_change_version: bool = False,
        may_change_host: Callable[[Transaction], bool] = lambda _: False,
        is_wanted: Callable[[], bool] = _never,
        is_owed: Callable[[], bool] = _never,
    ) -> None:
        self._work = work
        self._first: Transaction | None = first
        self._opened_for = first
        self._place = place
        self._known = known
        self._may_change_version = may_change_version
        self._may_change_host = may_change_host
        self._is_wanted = is_wanted
        self._is_owed = is_owed
        self.left: Transaction | None = None
        self.refused: list[Refusal] = []
        self.too_large: list[Refusal] = []
        self.is_answered = False

    @property
    def _is_over(self) -> bool:
        return self.left is not None or bool(self.refused or self.too_large)

    def next(self) -> Transaction | None:
        """Take the next transaction that this host may get; None where there is none now."""
        first, self._first = self._first, None
        if first is not None or self._is_over or self._is_owed():
            return first
        return self._admit(self._work.next())

    async def wait(self, seconds: float) -> Transaction | None:
        """Take the next transaction, and wait for one for so long at most: not while others wait."""
        if self._is_over or self._is_owed():
            return None
        return self._admit(await self._work.wait(0.0 if self._is_wanted() else seconds))

    def _admit(self, transaction: Transaction | None) -> Transaction | None:
        if transaction is None or self._may_get(transaction):
            return transaction
        self.left = transaction
        return None

    def _may_get(self, transaction: Transaction) -> bool:
        """Return whether the host is one of the destination's, and the place one that it waits for."""
        hosts = self._known(transaction)
        if hosts is None or not hosts.has(self._place[0]):
            return False
        last = repeated(transaction)
        place = self._place if last is None else place_of(last)
        return place == self._place or not hosts.has_place(place)

    def done(self, transaction: Transaction, attempts: Mapping[int, Attempt]) -> None:
        """Note how attempts ended, by the numbers of the recipients."""
        self.is_answered = True
        if is_too_large(attempts) and self._may_change_host(transaction):
            self._ask_others(transaction, attempts)
            return
        found = {number: with_class(attempt) for number, attempt in attempts.items()}
        back = {number: one for number, one in found.items() if self._is_tried_again(one)}
        if back:
            self.refused.append((transaction, back))
        ended = {number: one for number, one in found.items() if number not in back}
        if ended:
            self._work.done(transaction, ended)
        # Where the connection ends with it, that is noted once, by whoever opened it.
        slow = [one for one in found.values() if asks_for_less(one) and one.outcome.code != CLOSING]
        if slow:
            self._work.slow_down(slow[0])

    def _ask_others(self, transaction: Transaction, attempts: Mapping[int, Attempt]) -> None:
        """Keep what is too large for this host: what may demand other things is as it was before."""
        if _demand_of(transaction) == _demand_of(self._opened_for):
            self.too_large.append((transaction, attempts))
        else:
            self.left = self.left or transaction

    def _is_tried_again(self, attempt: Attempt) -> bool:
        return self._may_change_version and is_refused_by_policy(attempt)


def _demand_of(one: Transaction) -> tuple[Destination, bool, bool, bool]:
    """Return what decides on the demand on a host."""
    wishes = one.job.mail_parameters.requires_tls, one.job.is_tls_optional
    return one.destination, *wishes, one.sender.is_null


class SecondTry:
    """Gives what was refused over one version of IP to a connection of the other.

    What this says counts. If it takes anything, the refused ``version`` is avoided from now on, and
    ``has_helped`` is true. ``may_get`` returns whether that connection may have a transaction: what it
    was opened for may demand less.
    """

    def __init__(self, work: Work, refused: list[Refusal], version: int) -> None:
        self._work = work
        self._version = version
        self._waiting = list(refused)
        # By the identity of what was given out, which is kept so that it stays the only one.
        self._taken: dict[int, tuple[Transaction, Refusal]] = {}
        self.has_helped = False
        self.may_get: Callable[[Transaction], bool] = lambda transaction: True

    def next(self) -> Transaction | None:
        """Take the next transaction, with those recipients alone that were refused."""
        fit = (at for at, (one, _) in enumerate(self._waiting) if self.may_get(one))
        if (at := next(fit, None)) is None:
            return None
        transaction, attempts = self._waiting.pop(at)
        recipients = tuple(one for one in transaction.recipients if one.number in attempts)
        part = replace(transaction, recipients=recipients)
        self._taken[id(part)] = part, (transaction, attempts)
        return part

    async def wait(self, seconds: float) -> Transaction | None:
        """Return None: there is nothing to come."""
        return None

    def done(self, transaction: Transaction, attempts: Mapping[int, Attempt]) -> None:
        """Note how the second attempts ended."""
        _, (whole, first) = self._taken[id(transaction)]
        rest = {number: one for number, one in first.items() if number not in attempts}
        self._taken[id(transaction)] = transaction, (whole, rest)
        found = {number: with_class(attempt) for number, attempt in attempts.items()}
        self._work.done(whole, found)
        if not self.has_helped and any(one.outcome.is_success for one in found.values()):
            self.has_helped = True
            self._work.avoid(self._version)

    def end(self) -> None:
        """Let the refusals stand of those who were not tried again."""
        taken = [refusal for _, refusal in self._taken.values()]
        for transaction, attempts in [*taken, *self._waiting]:
            if attempts:
                self._work.done(transaction, attempts)
        self._taken, self._waiting = {}, []
