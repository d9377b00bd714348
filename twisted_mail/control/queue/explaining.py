"""``queue explain``: all that would happen to mail for an address. Nothing is sent."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from twisted_mail.assembly.trust import TrustAssembly, TrustDependencies
from twisted_mail.config import Config
from twisted_mail.control.addresses import address_explain
from twisted_mail.control.output import FAILED, FINE, WRONG_USE, CommandError, CommandResult
from twisted_mail.control.queue.filters import site_name
from twisted_mail.control.queue.onward_facts import (
    FactFinder,
    OnwardFacts,
    fact_data,
    fact_lines,
)
from twisted_mail.control.queue.opened import now, opened_queue
from twisted_mail.control.queue.phrases import said, span, stamp, waits_for, when
from twisted_mail.control.queue.talking import Talk, Talker, is_refused, talk_data, talk_lines
from twisted_mail.control.queue.waiting import Waiting
from twisted_mail.control.reactor import run_in_reactor
from twisted_mail.control.synchronous import SynchronousBlocking
from twisted_mail.interfaces import Resolver, SelectedRecipient, unreported
from twisted_mail.mail.address import NULL, Address, parse, parse_domain
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.mail.queued.wait_reason import WaitKind, WaitReason
from twisted_mail.net.dns.resolver import make_resolver
from twisted_mail.net.process.clock import ReactorClock
from twisted_mail.queue.dispatch.schedule import expires_at, planned
from twisted_mail.queue.words import queries

MAX_EXPLAINED = 20  # addresses elsewhere that one address leads to
_TRIES = 8  # of the schedule that are shown


@dataclass(frozen=True, slots=True)
class Explained:
    """What was found out about one address elsewhere; ``talks`` is None where nobody was asked."""

    address: Address
    facts: OnwardFacts
    talks: Sequence[Talk] | None = None

    @property
    def is_refused(self) -> bool:
        """Return whether mail would fail, or a host that was asked has refused it."""
        hosts = self.facts.hosts
        if isinstance(hosts, Outcome):
            return not hosts.is_temporary
        return self.talks is not None and is_refused(self.talks)


def queue_explain(options: argparse.Namespace, config: Config) -> CommandResult:
    """Show aliases, mail hosts, site, limits, what it would wait for, and the schedule."""
    sender, local = _sender(options.sender), _local(options, config)
    elsewhere = [parse(one) for one in local.data.get("elsewhere", ())][:MAX_EXPLAINED]
    found = run_in_reactor(_find(options, config, sender, elsewhere)) if elsewhere else []
    lines, data = list(local.lines), []
    for one in found:
        schedule = _schedule(config, sender)
        lines += ["", f"{one.address}:", *fact_lines(one.facts, config)]
        if not isinstance(one.facts.hosts, Outcome) or one.facts.hosts.is_temporary:
            lines += _waits_lines(_waits(config, sender, one.address, one.facts))
            lines += _schedule_lines(schedule, config)
        lines += talk_lines(one.talks or (), options.size)
        data.append(_data(one, schedule))
    failed = any(one.is_refused for one in found) if elsewhere else local.code != FINE
    return CommandResult({**local.data, "onward": data}, lines, FAILED if failed else FINE)


async def _find(
    options: argparse.Namespace, config: Config, sender: Address, elsewhere: Sequence[Address]
) -> list[Explained]:
    """Find out about addresses, and ask their hosts if that is wished."""
    resolver = _resolver(config)
    trust = _trust(config, resolver)
    await trust.start()
    finding = FactFinder(config, resolver, trust.demands)
    talker = _talker(config) if options.connect else None
    found = []
    for address in elsewhere:
        facts = await finding.find(address.domain)
        talks = None
        if talker is not None:
            talks = await talker.talk(facts, sender, address, options.size)
        found.append(Explained(address, facts, talks))
    return found


def _data(one: Explained, schedule: Sequence[float]) -> dict[str, Any]:
    return {
        **fact_data(one.facts),
        "address": str(one.address),
        "tries": [stamp(time) for time in schedule[:-1]],
        "expires": stamp(schedule[-1]),
        "talks": None if one.talks is None else list(map(talk_data, one.talks)),
    }


def _local(options: argparse.Namespace, config: Config) -> CommandResult:
    """Return what ``address explain`` has; a domain alone is explained as one elsewhere."""
    text = options.address
    if "@" in text or text.lower() == "postmaster":
        return address_explain(options, config)
    try:
        domain = parse_domain(text)
    except ValueError as error:
        raise CommandError(f"{text}: {error}", WRONG_USE) from None
    anybody = str(Address("anybody", domain))
    return address_explain(argparse.Namespace(**{**vars(options), "address": anybody}), config)


def _sender(text: str | None) -> Address:
    if text in (None, "<>"):
        return NULL
    try:
        return parse(str(text))
    except ValueError as error:
        raise CommandError(f"--from {text}: {error}", WRONG_USE) from None


def _talker(config: Config) -> Talker:
    from twisted.internet import reactor

    return Talker(config, reactor, ReactorClock(reactor))


def _trust(config: Config, resolver: Resolver) -> TrustAssembly:
    """Return what knows what hosts have to prove; what the server has on disk is only read."""
    from twisted.internet import reactor

    clock, blocking = ReactorClock(reactor), SynchronousBlocking()
    doors = TrustDependencies(reactor, clock, resolver, blocking, None, unreported)
    return TrustAssembly(config, doors)


def _resolver(config: Config) -> Any:
    from twisted.internet import reactor

    servers, timeout = config.dns.server_addresses(), config.dns.timeout
    return make_resolver(reactor, servers, timeout, ReactorClock(reactor))


def _octets(text: str) -> int:
    """Return a size. Raises ValueError, also for one that no message has."""
    size = int(text)
    if size < 0:
        raise ValueError(text)
    return size


# ---------------------------------------------------------------- now


def _waits(
    config: Config, sender: Address, address: Address, facts: OnwardFacts
) -> list[WaitReason]:
    """Return what a message that came now would wait for."""
    site = "" if isinstance(facts.hosts, Outcome) else facts.hosts.site.name
    job = QueuedJob("explained", now(), sender)
    one = SelectedRecipient(job, OwedRecipient(1, RemoteTarget(address)))
    if not config.queue_folder.is_dir():
        return []
    with opened_queue(config) as queue:
        waiting = Waiting(queue, [str(one.recipient.destination)])
        found = [reason for reason in waiting.reasons(one, now()) if not _is_at_once(reason)]
        known = queries.sites(queue.connection)
        resting = [rest for rest in known if site_name(rest.name) == site]
    for rest in resting:
        if rest.rest_until > now() and all(reason.kind is not WaitKind.SITE for reason in found):
            why = "" if rest.last is None else said(rest.last)
            found.append(WaitReason(WaitKind.SITE, rest.rest_until, why, site))
    return found


def _is_at_once(reason: WaitReason) -> bool:
    return reason.kind is WaitKind.TURN and not reason.text


def _waits_lines(waits: Sequence[WaitReason]) -> list[str]:
    return [f"  waits for   {waits_for(one, now())}" for one in waits] or ["  waits for   nothing"]


def _schedule(config: Config, sender: Address) -> list[float]:
    """Return when it is tried if each try is refused for now, and at last when it is given up."""
    job = QueuedJob("explained", now(), sender)
    settings = config.queue.schedule
    times = [
        one for one in planned(job, job.arrived, 0, settings) if one < expires_at(job, settings)
    ]
    return [*times, expires_at(job, settings)]


def _schedule_lines(times: Sequence[float], config: Config) -> list[str]:
    tries = times[:-1]
    pauses = [span(later - earlier) for earlier, later in pairwise(tries)][:_TRIES]
    notices = [span(one) for one in config.queue.schedule.notices]
    lines = [
        f"  if refused  for now, it is tried again after {', '.join(pauses)} ...",
        f"              {len(tries)} tries; given up {when(times[-1], tries[0])}, with a report",
    ]
    if notices:
        lines.append(f"              the sender gets a notice after {', '.join(notices)}")
    return lines


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command ``explain``."""
    text = "all that would happen to mail for an address or domain; nothing is sent"
    parser = command("explain", queue_explain, text, "address")
    parser.add_argument("--from", dest="sender", metavar="ADDRESS", help="of this sender")
    parser.add_argument("--size", type=_octets, default=0, metavar="OCTETS", help="of this size")
    about = "ask its hosts: the dialogue with them up to RSET"
    parser.add_argument("--connect", action="store_true", help=about)
