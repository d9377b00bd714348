"""Proxies of a worker for what only the main process can do. Each fulfils the door of the original."""

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from twisted_mail.auth.throttle import MAX_WAITING, TOO_MANY, LoginThrottle, account_key, network
from twisted_mail.delivery.doors import DeliveryHandoff
from twisted_mail.interfaces import (
    Blocking,
    Clock,
    FaultReport,
    Filter,
    Peer,
    SmtpContext,
    StatefulFilter,
    unreported,
)
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError, Unavailable
from twisted_mail.mail.verdict import FilterStage, Verdict
from twisted_mail.net.process.process_bridge import Bridge
from twisted_mail.net.server.connection_count import (
    ConnectionCounter,
    SharedConnectionCounter,
    SharedCountMemory,
)
from twisted_mail.store.quota import Quota
from twisted_mail.store.reservations import Reservations, Reserver
from twisted_mail.store.settings import StoreSettings
from twisted_mail.workers.background import BackgroundNotes
from twisted_mail.workers.handed_mail import RemoteDelivery
from twisted_mail.workers.passwords import RemotePasswords
from twisted_mail.workers.shared_services import SharedServices, failing_accounts


class RemoteSharedServices(SharedServices):
    """The services of a worker: over a bridge to the main process, and in memory that both share."""

    def __init__(self, process: int, bridge: Bridge, counts: SharedCountMemory) -> None:
        self.process = process
        # What the main process calls the filters, in the order of the configuration.
        self.filter_numbers: Sequence[int] = ()
        self._bridge = bridge
        self._counts = counts
        self._conversations = itertools.count(1)

    def throttle(self, clock: Clock) -> LoginThrottle:
        """Return what slows down the guessing of passwords."""
        return RemoteThrottle(self._bridge, failing_accounts(self._counts))

    def password_checks(self, clock: Clock) -> RemotePasswords:
        """Return what checks passwords."""
        return RemotePasswords(self._bridge, clock)

    def reserver(self, settings: StoreSettings) -> Reserver:
        """Return what keeps account of quotas."""
        return RemoteReservations(
            self._bridge, Quota(settings.quota_bytes, settings.quota_messages)
        )

    def background(self, clock: Clock) -> BackgroundNotes:
        """Return what takes notes of mailboxes to index and to tidy."""
        return BackgroundNotes(self._bridge, clock)

    def handoff(
        self, spool: Path, files: Blocking, report_fault: FaultReport = unreported
    ) -> DeliveryHandoff:
        """Return what takes mail that is not for inboxes alone."""
        return RemoteDelivery(self._bridge, spool, files, report_fault)

    def filter(self, number: int, made: Filter) -> Filter:
        """Return what judges instead of a filter that all processes have in common."""
        kind = RemoteStatefulFilter if isinstance(made, StatefulFilter) else RemoteFilter
        number = self.filter_numbers[number]
        return kind(self._bridge, number, made.stages, self._conversations)

    def connection_counter(self, listener: int) -> SharedConnectionCounter:
        """Return the counts of a listener's connections, in all processes."""
        return self._counts.listener(listener)


class RemoteThrottle:
    """Failed logins, counted in the main process. Fulfils ``auth.throttle.LoginThrottle``.

    How many answers are held back for one network the main process limits, which checks passwords; for
    checkers that do so here, each worker does.
    """

    def __init__(self, bridge: Bridge, failing: ConnectionCounter) -> None:
        self._bridge = bridge
        self._failing = failing
        self._waiting: Counter[str] = Counter()

    def admit(self, where: str) -> None:
        """Return if a password may be tried. Raises Unavailable."""
        if self._waiting[where] >= MAX_WAITING:
            raise Unavailable(TOO_MANY)

    async def hold_back(self, name: str, peer: Peer, began: float) -> None:
        """Count a failed login, and return when it may be answered."""
        where = network(peer)
        self._waiting[where] += bool(where)
        try:
            await self._bridge.call("throttle", "hold_back", name, peer, began)
        finally:
            self._waiting -= Counter({where: 1} if where else {})

    def forgive(self, name: str) -> None:
        """Forget an account's failures, if the main process has any."""
        if self._failing.count(account_key(name)):
            self._bridge.notify("throttle", "forgive", name)


# ---------------------------------------------------------------- quotas


@dataclass(frozen=True, slots=True)
class RemoteReservation:
    """Room that the main process has reserved. Fulfils the store's ``Reservation``."""

    bridge: Bridge
    number: int

    def end(self, is_delivered: bool) -> None:
        """Note that the messages are written, or not."""
        self.bridge.notify("reservations", "end", self.number, is_delivered)


class RemoteReservations:
    """Quotas, which the main process keeps account of. Fulfils the store's ``Reserver``."""

    def __init__(self, bridge: Bridge, quota: Quota) -> None:
        self._bridge = bridge
        self._quota = quota

    async def take(self, names: Iterable[str], size: int, messages: int = 1) -> Reservations:
        """Reserve room in each account; without quotas the main process is not asked."""
        names = tuple(dict.fromkeys(names))
        if not self._quota.is_set:
            return dict.fromkeys(names)
        taken: Mapping[str, int | MailError | None]
        taken = await self._bridge.call("reservations", "take", names, size, messages)
        return {
            name: RemoteReservation(self._bridge, one) if isinstance(one, int) else one
            for name, one in taken.items()
        }


# ---------------------------------------------------------------- filters


@dataclass(frozen=True, slots=True)
class SizeOnlyBlob:
    """The size of a blob whose octets stay where they are. Fulfils ``mail.message.Blob``."""

    size: int

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield nothing."""
        return iter(())

    def close(self) -> None:
        """Do nothing."""


class RemoteFilter:
    """A filter that the main process has for all processes. Fulfils ``interfaces.Filter``."""

    def __init__(
        self,
        bridge: Bridge,
        number: int,
        stages: Collection[FilterStage],
        conversations: Iterator[int],
    ) -> None:
        self.stages = stages
        self._bridge = bridge
        self._number = number
        self._conversations = conversations

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Return the verdict of the main process's filter."""
        verdict: Verdict = await self._bridge.call(
            "filters",
            "judge",
            self._number,
            self._conversation(context),
            stage,
            _without_large_parts(context, stage),
        )
        return verdict

    def _conversation(self, context: SmtpContext) -> int:
        """Return the number by which the main process knows a conversation."""
        number = context.notes.get("workers")
        if number is None:
            number = context.notes["workers"] = next(self._conversations)
        return int(number)


class RemoteStatefulFilter(RemoteFilter):
    """A proxy for a filter that is also an ``interfaces.StatefulFilter``."""

    def ended(self, context: SmtpContext, is_over: bool) -> None:
        """Notify the main process of the end of a transaction, or of the conversation."""
        number = self._conversation(context)
        left = _without_large_parts(context, None)
        self._bridge.notify("filters", "ended", self._number, number, left, is_over)


def _without_large_parts(context: SmtpContext, stage: FilterStage | None) -> SmtpContext:
    """Return a context without what is large or stays here: octets, notes and verdicts.

    All recipients are sent at the last stage only: with each of a thousand they would be a million.
    """
    message = context.message and Message(
        SizeOnlyBlob(context.message.blob.size), context.message.prefix
    )
    recipients = tuple(context.recipients) if stage is FilterStage.MESSAGE else ()
    return replace(
        context, header=b"", message=message, notes={}, verdicts=[], recipients=recipients
    )
