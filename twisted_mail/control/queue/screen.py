"""``queue`` alone: the whole queue on one screen."""

import argparse
from collections.abc import Sequence
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.output import CommandResult, count, table
from twisted_mail.control.queue.filters import site_name
from twisted_mail.control.queue.listing import STOPS, why_waiting
from twisted_mail.control.queue.opened import now, opened_queue
from twisted_mail.control.queue.phrases import attempt_data, said, span, stamp, when
from twisted_mail.control.queue.waiting import Waiting
from twisted_mail.interfaces import SiteRecord
from twisted_mail.mail.queued.suspension import Suspension
from twisted_mail.queue.words.overview import DestinationOverview, QueueOverview, overview

SHOWN = 10  # destinations, sites
_WIDE = 70  # characters of a cell with words


def queue_screen(_: argparse.Namespace, config: Config) -> CommandResult:
    """Show how much waits, for what, since when and why."""
    moment = now()
    with opened_queue(config) as queue:
        found = overview(queue.connection, moment, SHOWN)
        waiting = Waiting(queue, (one.name for one in found.destinations))
    why = [_why(one, waiting, moment) for one in found.destinations]
    resting = [site for site in found.resting if _is_used(site, config)]
    lines = [
        *_sums(found, waiting.is_served, moment),
        *_destinations(found, why, moment),
        *_resting(resting, moment),
        *_suspended(found.suspended, moment),
    ]
    return CommandResult(_data(found, why, resting, waiting), lines)


def _is_used(site: SiteRecord, config: Config) -> bool:
    """Return whether mail may go to a site: with a relay to this alone, without one to no relay."""
    name, relay = site_name(site.name), config.sending.next_relay
    if name == site.name and ":" in name:  # of another carrier
        return True
    return ":" not in name if relay is None else name == relay.site


def _sums(found: QueueOverview, is_served: bool, now: float) -> list[str]:
    served = "the server runs" if is_served else "the server does NOT run: nothing is sent"
    if not found.all:
        return [f"the queue is empty; {served}"]
    owed = found.waiting + found.held + found.damaged + found.unreported
    lines = [
        (
            f"{count(found.jobs, 'message')} for {count(owed, 'recipient')} at"
            f" {count(found.all, 'destination')}, the oldest since {span(now - found.oldest)};"
            f" {served}"
        ),
        f"{found.due} due now, {found.waiting - found.due} later, {found.held} held",
    ]
    if found.unreported:
        lines.append(f"{found.unreported} served or failed, whose reports are not written yet")
    if found.damaged:
        lines.append(f"{found.damaged} DAMAGED, and never sent: queue list --state damaged")
    return lines


def _destinations(found: QueueOverview, why: Sequence[str], now: float) -> list[str]:
    cells = [
        (
            one.name,
            str(one.waiting),
            str(one.due),
            str(one.held),
            span(now - one.arrived),
            _short(text),
        )
        for one, text in zip(found.destinations, why, strict=True)
    ]
    lines = table(("DESTINATION", "WAITING", "DUE", "HELD", "OLDEST", "WHY"), cells)
    if found.all > len(cells):
        lines.append(f"and {count(found.all - len(cells), 'destination')} with less")
    return ["", *lines] if lines else []


def _why(one: DestinationOverview, waiting: Waiting, now: float) -> str:
    """Return why mail for a destination waits: its site, or what keeps one of its mails."""
    reason = waiting.at_destination(one.name)
    if reason is not None and reason.kind in STOPS:
        return reason.text or reason.kind.value
    if one.example is None:
        return "-"
    return why_waiting(one.example.recipient, waiting.reasons(one.example, now))


def _short(text: str) -> str:
    return text if len(text) <= _WIDE else f"{text[: _WIDE - 3]}..."


def _resting(sites: Sequence[SiteRecord], now: float) -> list[str]:
    cells = [
        (
            site_name(site.name),
            f"in {span(site.rest_until - now)}",
            str(site.failures),
            "-" if site.last is None else _short(said(site.last)),
        )
        for site in sorted(sites, key=lambda site: -site.failures)[:SHOWN]
    ]
    lines = table(("SITE NOT REACHED", "NEXT TRY", "FAILURES", "WHY"), cells)
    if len(sites) > SHOWN:
        lines.append(f"and {count(len(sites) - SHOWN, 'site')} more")
    return ["", *lines] if lines else []


def _suspended(suspended: Sequence[Suspension], now: float) -> list[str]:
    cells = [
        (one.kind, one.name, when(one.until, now) if one.until else "resumed by word")
        for one in suspended
    ]
    lines = table(("SUSPENDED", "NAME", "UNTIL"), cells)
    return ["", *lines] if lines else []


# ---------------------------------------------------------------- for programs


def _data(
    found: QueueOverview, why: Sequence[str], resting: Sequence[SiteRecord], waiting: Waiting
) -> dict[str, Any]:
    pairs = zip(found.destinations, why, strict=True)
    return {
        "is_served": waiting.is_served,
        "messages": found.jobs,
        "waiting": found.waiting,
        "due": found.due,
        "held": found.held,
        "damaged": found.damaged,
        "unreported": found.unreported,
        "oldest": stamp(found.oldest),
        "destination_count": found.all,
        "destinations": [_destination_data(one, text, waiting) for one, text in pairs],
        "resting": [
            {
                "site": site_name(site.name),
                "until": stamp(site.rest_until),
                "failures": site.failures,
                "last": attempt_data(site.last),
            }
            for site in resting
        ],
        "suspended": [
            {"kind": one.kind, "name": one.name, "until": stamp(one.until)}
            for one in found.suspended
        ],
    }


def _destination_data(one: DestinationOverview, why: str, waiting: Waiting) -> dict[str, Any]:
    reason = waiting.at_destination(one.name)
    return {
        "destination": one.name,
        "waiting": one.waiting,
        "due": one.due,
        "held": one.held,
        "damaged": one.damaged,
        "unreported": one.unreported,
        "oldest": stamp(one.arrived),
        "next": stamp(one.next_due),
        "site": "" if reason is None else reason.site,
        "why": why,
        "last": attempt_data(one.last),
    }
