"""Room for deliveries, on the reactor thread: which account has some, and who is taking it."""

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
    """Room that a delivery has taken."""

    def end(self, is_delivered: bool) -> None:
        """Note that the delivery is over; if it failed, its room is free again."""


Reservations = Mapping[str, Reservation | MailError | None]  # by account; None: it has no quota


class Reserver(Protocol):
    """Takes room for deliveries."""

    async def take(self, names: Iterable[str], size: int) -> Reservations:
        """Take room for a message in each account; the answer says where there is none, and why."""


def constant_quota(settings: StoreSettings) -> Quotas:
    """Return the quota of the settings, for every account."""
    quota = Quota(settings.quota_bytes, settings.quota_messages)

    async def quotas(_: str) -> Quota:
        return quota

    return quotas


class QuotaReserver:
    """What is known of the room in accounts; ``count`` counts one anew, in its lane.

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

    async def take(self, names: Iterable[str], size: int) -> Reservations:
        """Take room for a message in each account; the answer says where there is none, and why."""
        taken: dict[str, Reservation | MailError | None] = {}
        try:
            for name in dict.fromkeys(names):
                try:
                    taken[name] = await self._take(name, Usage(size, 1))
                except MailError as error:
                    taken[name] = error
        except BaseException:
            end(taken, dict.fromkeys(taken, over_quota()))
            raise
        return taken

    async def _take(self, name: str, size: Usage) -> QuotaReservation | None:
        quota = await self._quotas(name)
        if not quota.is_set:
            return None
        ledger = self._ledger(name, quota)
        slot = ledger.take(size, self._clock.monotonic())
        for _ in range(_ATTEMPTS):
            if slot is not None:
                return slot
            seen = ledger.over()
            counted, claims = await self._count(name)
            ledger.learn(counted, claims, seen, self._clock.monotonic())
            slot = ledger.take(size, self._clock.monotonic())
            if slot is None and not quota.holds(counted.plus(size)):
                raise over_quota()
        if slot is None:
            raise over_quota(is_certain=False)
        return slot


def end(taken: Reservations, answers: Mapping[str, MailError | None]) -> None:
    """Note that deliveries are over; an account without an answer may have the message."""
    for name, slot in taken.items():
        if slot is not None and not isinstance(slot, MailError):
            slot.end(is_delivered=answers.get(name) is None)
