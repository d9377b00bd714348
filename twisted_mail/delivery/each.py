"""Final delivery with an answer for each recipient, for LMTP (RFC 2033 §4.2).

The order is that of ``local``: every recipient is routed, parcels for programs and lists are written and
not promised yet, the accounts get their copies, and the parcels of those recipients are promised whose
every account has one. What concerns one recipient alone keeps nobody else waiting.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from twisted_mail.delivery.doors import Doors
from twisted_mail.delivery.local import NOBODY_WAITS, in_turns, put
from twisted_mail.delivery.parcel import Parcel
from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError, Outcome, Unavailable
from twisted_mail.mail.route import Errand, Here, ListMail, NoRoute

_NOT_HERE = Outcome(550, "5.1.2", "Mail for other domains is not taken here")

Parcels = list[Parcel] | Outcome  # of one errand: it may want none, or cannot be taken


@dataclass(slots=True)
class _Plan:
    """What is to be done for the recipients of one message, and what came of it."""

    answers: dict[Address, Outcome | None] = field(default_factory=dict)
    routes: dict[Address, Here] = field(default_factory=dict)
    parcels: dict[Errand | ListMail, Parcels] = field(default_factory=dict)

    @property
    def hopeful(self) -> list[tuple[Address, Here]]:
        """Return the recipients to whom nothing stands against delivering, with their routes."""
        return [(one, route) for one, route in self.routes.items() if self.answers[one] is None]


class EachDelivery:
    """Fulfils ``interfaces.Delivery``."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    async def deliver_each(
        self, envelope: Envelope, message: Message
    ) -> Mapping[Address, Outcome | None]:
        """Deliver to every recipient for whom it can be done; closes the message's blob."""
        plan = _Plan()
        try:
            async for recipient in in_turns(dict.fromkeys(envelope.recipients), self._doors.clock):
                plan.answers[recipient] = await self._routed(recipient, plan)
            if self._is_for_elsewhere(envelope, plan):
                assert self._doors.elsewhere is not None
                return await self._doors.elsewhere.deliver_each(envelope, message)
            for recipient, route in plan.hopeful:
                plan.answers[recipient] = await self._prepared(envelope, message, route, plan)
        except BaseException:
            message.blob.close()
            raise
        try:
            await self._deliver(envelope, message, plan)
        finally:
            await self._settle(plan)
        return plan.answers

    def _is_for_elsewhere(self, envelope: Envelope, plan: _Plan) -> bool:
        if self._doors.elsewhere is None:
            return False
        return envelope.is_quarantined or any(_errands(route) for _, route in plan.hopeful)

    async def _routed(self, recipient: Address, plan: _Plan) -> Outcome | None:
        try:
            route = await self._doors.router.route(recipient)
        except MailError as error:
            return error.outcome
        if isinstance(route, NoRoute):
            return route.outcome
        if not isinstance(route, Here):
            return _NOT_HERE
        plan.routes[recipient] = route
        return None

    # ------------------------------------------------------------ programs and lists

    async def _prepared(
        self, envelope: Envelope, message: Message, route: Here, plan: _Plan
    ) -> Outcome | None:
        """Write the parcels that a recipient needs; return why one cannot be taken, or None."""
        for errand in _errands(route):
            if errand not in plan.parcels:
                plan.parcels[errand] = await self._parcels(envelope, message, errand, plan)
            parcels = plan.parcels[errand]
            if isinstance(parcels, Outcome):
                return parcels
        return None

    async def _parcels(
        self, envelope: Envelope, message: Message, errand: Errand | ListMail, plan: _Plan
    ) -> Parcels:
        if self._doors.waiting is None:
            return NOBODY_WAITS
        alone = replace(envelope, id=f"{envelope.id}-{len(plan.parcels) + 1}")
        try:
            return await self._doors.waiting.prepare(alone, message, [errand])
        except MailError as error:
            return error.outcome

    async def _settle(self, plan: _Plan) -> None:
        """Promise the parcels of those who are served, and withdraw the others."""
        served = {errand for _, route in plan.hopeful for errand in _errands(route)}
        for errand, parcels in plan.parcels.items():
            if self._doors.waiting is None or isinstance(parcels, Outcome) or not parcels:
                continue
            try:
                settle = (
                    self._doors.waiting.promise
                    if errand in served
                    else self._doors.waiting.withdraw
                )
                await settle(parcels)
            except Unavailable as error:  # what stays is swept away at the next start
                self._fail(errand, error.outcome, plan)

    def _fail(self, errand: Errand | ListMail, outcome: Outcome, plan: _Plan) -> None:
        for recipient, route in plan.hopeful:
            if errand in _errands(route):
                plan.answers[recipient] = outcome

    # ------------------------------------------------------------ accounts

    async def _deliver(self, envelope: Envelope, message: Message, plan: _Plan) -> None:
        """Put the message into the accounts, each once, and note who is not served by that."""
        hopeful = plan.hopeful
        accounts = list(dict.fromkeys(name for _, route in hopeful for name in route.accounts))
        results: Mapping[str, MailError | None] = {}
        try:
            results = await put(self._doors.store, self._doors.journal, envelope, message, accounts)
        except BaseException as error:
            outcome = error.outcome if isinstance(error, MailError) else _BUG
            plan.answers |= dict.fromkeys((one for one, _ in hopeful), outcome)
            if not isinstance(error, MailError):
                raise
            return
        for recipient, route in hopeful:
            plan.answers[recipient] = _worst([results[name] for name in route.accounts])


def _errands(route: Here) -> tuple[Errand | ListMail, ...]:
    return (*route.programs, *route.lists)


_BUG = Outcome(451, "4.3.0", "Something went wrong here; try again later")


def _worst(results: list[MailError | None]) -> Outcome | None:
    """Return why an account that a recipient leads to got no copy: for now before for good."""
    outcomes = [error.outcome for error in results if error is not None]
    return next((one for one in outcomes if one.is_temporary), next(iter(outcomes), None))
