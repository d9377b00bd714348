"""Why mail waits, and how a site is used, for the operator."""

from dataclasses import dataclass, fields
from typing import Any

from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.suspension import Suspension
from twisted_mail.mail.queued.wait_reason import WaitKind, WaitReason
from twisted_mail.queue.dispatch.memory.queues import DestinationQueue, SiteQueue
from twisted_mail.queue.dispatch.memory.state import DispatchState


@dataclass(frozen=True, slots=True)
class SiteState:
    """How a site is used now.

    It has ``connections`` of the ``allowed`` ones, which ``why`` explains; ``in_turn`` destinations stand
    in its line. ``max_messages`` is what was learned of how many messages a connection takes, or 0.
    """

    name: str
    connections: int
    allowed: int
    most: int
    why: str
    in_turn: int
    failures: int
    rest_until: float
    pause_until: float
    max_messages: int
    avoids: int
    last: Attempt | None


def site_state(state: DispatchState, site: SiteQueue) -> SiteState:
    """Return how a site is used now."""
    return SiteState(
        name=site.name,
        connections=site.connections,
        allowed=site.window,
        most=site.limits.most,
        why=_why(site, state.time.now()),
        in_turn=site.in_turn,
        failures=site.failures,
        rest_until=site.rest_until,
        pause_until=site.pause_until,
        max_messages=site.max_messages,
        avoids=site.avoids,
        last=site.last,
    )


def site_data(state: SiteState) -> dict[str, Any]:
    """Return how a site is used as plain data, but for the last attempt."""
    return {one.name: getattr(state, one.name) for one in fields(SiteState) if one.name != "last"}


def _why(site: SiteQueue, now: float) -> str:
    """Return why a site may have so many connections."""
    if site.rest_until > now:
        return f"it could not be reached, {site.failures} times in a row"
    if site.failures:
        return "it is being probed: it could not be reached before"
    if site.pace.ceiling_until > now:
        return "it asked for fewer"
    if not site.is_proven:
        return "nothing was delivered to it yet"
    if site.window >= site.limits.most:
        return "that is the limit for it"
    return "one more comes with each series of successes"


def waits_for(state: DispatchState, destination: Destination) -> WaitReason:
    """Return what mail for a destination that is due waits for."""
    queue = state.destinations.get(destination)
    if queue is None:
        return WaitReason(WaitKind.TIME)
    name = queue.site.name if queue.site is not None else ""
    now = state.time.now()
    if (stop := state.suspensions.of_destination(destination, now)) is not None:
        return _suspended(stop, name)
    if queue.under_way:
        return WaitReason(WaitKind.UNDER_WAY, 0.0, "", name)
    if queue.rest_until > now:
        return WaitReason(WaitKind.SITE, queue.rest_until, _text(queue.last), name)
    if queue.has_due(now) and queue.site is not None:
        return _at_site(state, queue.site, name, now)
    if queue.has_due(now):
        return WaitReason(WaitKind.TURN, 0.0, "its site is looked up")
    return WaitReason(WaitKind.TIME, queue.next_due, _text(queue.last), name)


def _at_site(state: DispatchState, site: SiteQueue, name: str, now: float) -> WaitReason:
    if (stop := state.suspensions.of_site(name, now)) is not None:
        return _suspended(stop, name)
    if site.rest_until > now:
        return WaitReason(WaitKind.SITE, site.rest_until, _text(site.last), name)
    if site.pause_until > now:
        return WaitReason(WaitKind.LIMIT, site.pause_until, _text(site.last), name)
    if site.is_waiting:
        text = f"all {state.settings.connections} connections are in use"
        return WaitReason(WaitKind.LIMIT, 0.0, text, name)
    text = f"{site.in_turn} destinations, {site.connections} of {site.window} connections"
    return WaitReason(WaitKind.TURN, 0.0, text, name)


def _suspended(stop: Suspension, site: str) -> WaitReason:
    return WaitReason(WaitKind.SUSPENSION, stop.until, str(stop), site)


def _text(attempt: Attempt | None) -> str:
    return attempt.outcome.text if attempt is not None else ""


def destinations_of(state: DispatchState, site: str) -> list[Destination]:
    """Return the destinations that are known to lie behind a site."""
    return [queue.destination for queue in state.destinations.values() if _has_site(queue, site)]


def _has_site(queue: DestinationQueue, site: str) -> bool:
    return queue.site is not None and queue.site.name == site
