"""How much an account may hold, and what deliveries to it need to know of that.

A delivery does not open the index. It relies on the last count, and on what was delivered since; where
that leaves room, it is accepted. It is refused only after a fresh count.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from twisted_mail.mail.outcome import MailError, Outcome, Refused, Unavailable

COUNT_SECONDS = 60.0  # after which the account is counted again, with what others put there
MAX_RESERVATIONS = 1000  # deliveries after which it is counted again


@dataclass(frozen=True, slots=True)
class Quota:
    """How many octets and messages an account may hold; 0: any number."""

    octets: int = 0
    messages: int = 0

    @property
    def is_set(self) -> bool:
        """Return whether there is a limit at all."""
        return self.octets > 0 or self.messages > 0

    def holds(self, usage: "Usage") -> bool:
        """Return whether an account may hold this much."""
        return not (0 < self.octets < usage.octets or 0 < self.messages < usage.messages)


Quotas = Callable[[str], Awaitable[Quota]]  # an account's quota, by its name


class Usage(NamedTuple):
    """How much an account holds, all mailboxes together; octets as on the wire."""

    octets: int = 0
    messages: int = 0

    def plus(self, other: "Usage") -> "Usage":
        """Return both together."""
        return Usage(self.octets + other.octets, self.messages + other.messages)


def over_quota(is_certain: bool = True) -> MailError:
    """Return the error for an account without room; not ``is_certain`` while deliveries are under way."""
    text = "The account has no room for this."
    if is_certain:
        return Refused(Outcome(552, "5.2.2", text), "OVERQUOTA")
    return Unavailable(Outcome(452, "4.2.2", text), "OVERQUOTA")


@dataclass(slots=True, eq=False)
class QuotaReservation:
    """Room that is reserved for one delivery: ``is_over`` once that has ended, whatever its result."""

    ledger: "QuotaLedger"
    size: Usage
    is_over: bool = False

    def end(self, is_delivered: bool) -> None:
        """Note that the delivery is over; if it failed, its room is free again."""
        self.ledger.end(self, is_delivered)


class QuotaLedger:
    """What is known of one account's room. On the reactor thread, except as stated here.

    ``claims`` is raised by the account's lane before it checks that anything but a delivery has room;
    ``in_flight`` is read there after that. So of a delivery and an APPEND at the same time one sees the
    other.
    """

    def __init__(self) -> None:
        self.quota = Quota()
        self.claims = 0
        self.in_flight = Usage()  # deliveries under way
        self._counted: Usage | None = None
        self._counted_at = 0.0
        self._counted_claims = 0
        self._reservations: set[QuotaReservation] = set()  # that the last count may not have seen
        self._reserved = Usage()  # by them

    def take(self, size: Usage, now: float) -> QuotaReservation | None:
        """Reserve room, if it is known that there is some."""
        reservation = QuotaReservation(self, size)
        self.in_flight = self.in_flight.plus(size)
        if not self._is_current(now) or not self._fits(size):
            self.in_flight = self.in_flight.plus(_negative(size))
            return None
        self._reservations.add(reservation)
        self._reserved = self._reserved.plus(size)
        return reservation

    def _is_current(self, now: float) -> bool:
        return (
            self._counted is not None
            and self._counted_claims == self.claims
            and 0 <= now - self._counted_at < COUNT_SECONDS
            and len(self._reservations) < MAX_RESERVATIONS
        )

    def _fits(self, size: Usage) -> bool:
        counted = self._counted or Usage()
        return self.quota.holds(counted.plus(self._reserved).plus(size))

    def end(self, reservation: QuotaReservation, is_delivered: bool) -> None:
        """Note that a delivery is over (see ``QuotaReservation.end``)."""
        if reservation.is_over:
            return
        reservation.is_over = True
        self.in_flight = self.in_flight.plus(_negative(reservation.size))
        if not is_delivered:
            self._forget({reservation})

    def over(self) -> frozenset[QuotaReservation]:
        """Return the deliveries that a count which begins now will see."""
        return frozenset(one for one in self._reservations if one.is_over)

    def learn(
        self, counted: Usage, claims: int, seen: frozenset[QuotaReservation], now: float
    ) -> None:
        """Take a count that was made at this number of claims, and saw these deliveries."""
        self._counted, self._counted_claims, self._counted_at = counted, claims, now
        self._forget(seen)

    def _forget(self, ended: "set[QuotaReservation] | frozenset[QuotaReservation]") -> None:
        for one in self._reservations & ended:
            self._reservations.remove(one)
            self._reserved = self._reserved.plus(_negative(one.size))


def _negative(size: Usage) -> Usage:
    return Usage(-size.octets, -size.messages)
