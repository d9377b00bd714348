"""Quota reservations, for deliveries and for sessions of other processes, on the reactor thread."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol
from weakref import WeakValueDictionary

from twisted_mail.interfaces import Clock
from twisted_mail.mail.outcome import MailError
from twisted_mail.store.quota import Quota, QuotaLedger, QuotaReservation, Quotas, Usage, over_quota
from twisted_mail.store.settings import StoreSettings

Count = Callable[[str], Awaitable[tuple[Usage, int]]]  # see ``usage.survey``

KEPT_LEDGERS = 10_000  # accounts whose last count is remembered
_ATTEMPTS = 3  # at counting while messages are appended


class Reservation(Protocol):
    """Room in an account that is reserved for one delivery, or for what a session writes."""

    def end(self, is_delivered: bool) -> None:
        """Note that the delivery is over; if it failed, its room is free again."""


Reservations = Mapping[str, Reservation | MailError | None]  # by account; None: it has no quota


class Reserver(Protocol):
    """Reserves room in accounts."""

    async def take(self, names: Iterable[str], size: int, messages: int = 1) -> Reservations:
        """Reserve room for messages, of ``size`` octets together, in each account.

        Return where there is none, and why.
        """


def constant_quota(settings: StoreSettings) -> Quotas:
    """Return the quota of the settings, for every account."""
    quota = Quota(settings.quota_bytes, settings.quota_messages)

    async def quotas(_: str) -> Quota:
        return quota

    return quotas


class QuotaReserver:
    """Reserves by what is known of the room in accounts; ``count`` counts one anew, in its lane.

    Fulfils ``Reserver``.
    """

    def __init__(self, quotas: Quotas, count: Count, clock: Clock) -> None:
        self._quotas = quotas
        self._count = count
        self._clock = clock
        self._ledgers: WeakValueDictionary[str, QuotaLedger] = WeakValueDictionary()
        self._recent: OrderedDict[str, QuotaLedger] = OrderedDict()

    async def ledger(self, name: str) -> QuotaLedger:
        """Return an account's ledger, with the quota that it has now."""
        return self._ledger(name, await self._quotas(name))

    def _ledger(self, name: str, quota: Quota) -> QuotaLedger:
        ledger = self._ledgers.get(name)
        if ledger is None:
            ledger = self._ledgers[name] = QuotaLedger()
        self._recent[name] = ledger
        self._recent.move_to_end(name)
        if len(self._recent) > KEPT_LEDGERS:
            self._recent.popitem(last=False)
        ledger.quota = quota
        return ledger

    async def take(self, names: Iterable[str], size: int, messages: int = 1) -> Reservations:
        """Reserve room for messages in each account; return where there is none, and why."""
        reserved: dict[str, Reservation | MailError | None] = {}
        try:
            for name in dict.fromkeys(names):
                try:
                    reserved[name] = await self._take(name, Usage(size, messages))
                except MailError as error:
                    reserved[name] = error
        except BaseException:
            end(reserved, dict.fromkeys(reserved, over_quota()))
            raise
        return reserved

    async def _take(self, name: str, size: Usage) -> QuotaReservation | None:
        quota = await self._quotas(name)
        if not quota.is_set:
            return None
        ledger = self._ledger(name, quota)
        reservation = ledger.take(size, self._clock.monotonic())
        for _ in range(_ATTEMPTS):
            if reservation is not None:
                return reservation
            seen = ledger.over()
            counted, claims = await self._count(name)
            ledger.learn(counted, claims, seen, self._clock.monotonic())
            reservation = ledger.take(size, self._clock.monotonic())
            if reservation is None and not quota.holds(counted.plus(size)):
                raise over_quota()
        if reservation is None:
            raise over_quota(is_certain=False)
        return reservation


def end(reserved: Reservations, answers: Mapping[str, MailError | None]) -> None:
    """Note that deliveries are over; an account without an answer may have the message."""
    for name, reservation in reserved.items():
        if reservation is not None and not isinstance(reservation, MailError):
            reservation.end(is_delivered=answers.get(name) is None)
