"""Services of the main process for one worker, which calls them over the bridge.

What a service keeps for a worker is released by ``close`` when that worker has ended.
"""

import itertools
from collections.abc import Mapping, Sequence

from twisted.logger import LogEvent, LogLevel, globalLogPublisher

from twisted_mail.assembly.assembly import Assembly
from twisted_mail.interfaces import (
    Filter,
    SmtpContext,
    StatefulFilter,
)
from twisted_mail.mail.outcome import MailError
from twisted_mail.mail.verdict import FilterStage, Verdict
from twisted_mail.store.reservations import Reservation, Reserver
from twisted_mail.workers.background import BackgroundService
from twisted_mail.workers.handed_mail import DeliveryService
from twisted_mail.workers.passwords import PasswordService


class ReservationService:
    """Reserves room in accounts for deliveries of a worker, and for what its sessions write."""

    def __init__(self, reserver: Reserver) -> None:
        self._reserver = reserver
        self._numbers = itertools.count(1)
        self._reservations: dict[int, Reservation] = {}
        self._is_closed = False

    async def take(
        self, names: Sequence[str], size: int, messages: int = 1
    ) -> Mapping[str, int | MailError | None]:
        """Reserve room; return for each account a number, why there is no room, or None: no quota."""
        taken = await self._reserver.take(names, size, messages)
        return {
            name: one if one is None or isinstance(one, MailError) else self._keep(one)
            for name, one in taken.items()
        }

    def _keep(self, reservation: Reservation) -> int:
        number = next(self._numbers)
        self._reservations[number] = reservation
        if self._is_closed:  # since room was asked for
            self.end(number, is_delivered=False)
        return number

    def end(self, number: int, is_delivered: bool) -> None:
        """Note that a delivery is over."""
        self._reservations.pop(number).end(is_delivered)

    def close(self) -> None:
        """End all deliveries: as far as we know they were made."""
        self._is_closed = True
        for number in list(self._reservations):
            self.end(number, is_delivered=True)


class FilterService:
    """Asks filters that all processes have in common, by their places in ``filters``, which may grow.

    A filter's notes of a conversation stay here, under the number that the worker gave the conversation.
    """

    def __init__(self, filters: Sequence[Filter]) -> None:
        self._filters = filters
        self._kept: dict[tuple[int, int], SmtpContext] = {}  # for stateful filters
        self._is_closed = False

    async def judge(
        self, number: int, conversation: int, stage: FilterStage, context: SmtpContext
    ) -> Verdict:
        """Return a filter's verdict."""
        made = self._filters[number]
        kept = self._kept.get((number, conversation))
        if kept is not None:
            context.notes = kept.notes
        if not isinstance(made, StatefulFilter):
            return await made.judge(stage, context)
        self._kept[number, conversation] = context
        verdict = await made.judge(stage, context)
        if self._is_closed:  # since it was asked
            self.ended(number, conversation, context, is_over=True)
        return verdict

    def ended(self, number: int, conversation: int, context: SmtpContext, is_over: bool) -> None:
        """Notify a filter of the end of a transaction or a conversation."""
        kept = self._kept.get((number, conversation))
        if kept is None:
            return
        context.notes = kept.notes
        if is_over:
            del self._kept[number, conversation]
        self._end(number, context, is_over)

    def _end(self, number: int, context: SmtpContext, is_over: bool) -> None:
        stateful = self._filters[number]
        assert isinstance(stateful, StatefulFilter)
        stateful.ended(context, is_over)

    def close(self) -> None:
        """End all conversations of the worker."""
        self._is_closed = True
        kept, self._kept = self._kept, {}
        for (number, _), context in kept.items():
            self._end(number, context, is_over=True)


class LogService:
    """Writes a worker's events to the log as if they had happened here."""

    def publish(self, events: Sequence[LogEvent]) -> None:
        """Log events."""
        for event in events:
            event["log_level"] = LogLevel.levelWithName(event["log_level"])
            globalLogPublisher(event)


class WorkerServices:
    """All services for one worker."""

    def __init__(self, parts: Assembly) -> None:
        self._reservations = ReservationService(parts.store.own_reserver)
        self._filters = FilterService(parts.filters.made)
        self._passwords = PasswordService(parts.passwords, parts.throttle)
        self.by_name: Mapping[str, object] = {
            "throttle": parts.throttle,
            "passwords": self._passwords,
            "reservations": self._reservations,
            "delivery": DeliveryService(
                parts.delivery.queue,
                parts.delivery.each,
                parts.threads.files,
                parts.report_fault,
            ),
            "filters": self._filters,
            "background": BackgroundService(parts.store.catch_up, parts.journal),
            "log": LogService(),
        }

    def close(self) -> None:
        """Release what is kept for the worker, which has ended."""
        self._passwords.close()
        self._reservations.close()
        self._filters.close()
