"""``queue site``: how a site is used now and why, and what it has answered lately."""

import argparse
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.checks.server_user import server_user_of
from twisted_mail.control.journey.code_meanings import meaning
from twisted_mail.control.journey.event_words import event_text
from twisted_mail.control.output import CommandError, CommandResult, count
from twisted_mail.control.queue.filters import span_seconds
from twisted_mail.control.queue.opened import now, opened_queue
from twisted_mail.control.queue.phrases import said, stamp, when
from twisted_mail.control.queue.speaking import speak, speaker
from twisted_mail.delivery.onward.providers import known_providers
from twisted_mail.interfaces import SiteRecord
from twisted_mail.journey import event_lines
from twisted_mail.journey.site_history import SiteHistory, known_sites, middle, site_history
from twisted_mail.mail.queued.selection import Selection
from twisted_mail.mail.queued.word import Act, Word
from twisted_mail.queue.words import queries

SHOWN = 8  # codes, classes, kinds of TLS

State = Mapping[str, Any]


def queue_site(options: argparse.Namespace, config: Config) -> CommandResult:
    """Show how a site is used, why so, and what its hosts said."""
    name, moment = options.name, now()
    since = event_lines.stamp(max(moment - span_seconds(options.span, "--for"), 0.0))
    with opened_queue(config) as queue:
        record = next((one for one in queries.sites(queue.connection) if one.name == name), None)
        is_served = queue.is_served()
        answer = (
            speak(queue, Word(Act.ASK, Selection(site=name), by=speaker())) if is_served else {}
        )
    state = next(iter(answer.get("sites", ())), None)
    with server_user_of(config.state).acting():
        history = site_history(str(config.journey_folder), name, since)
        if not (state or record or history.events):
            similar = known_sites(str(config.journey_folder), name)
            hint = f"; there are {', '.join(similar)}" if similar else ""
            raise CommandError(f"nothing is known of a site {name}{hint} (queue explain names it)")
    lines = [
        f"site {name}",
        *_used(state, is_served, moment),
        *_limits(state, name, config),
        *_remembered(record, moment),
        *_answers(history, options.span),
        *[f"  {code:<11} {text}" for code, text in list(_meanings(history, name).items())[:SHOWN]],
    ]
    destinations = list(answer.get("destinations", ()))
    return CommandResult(_data(name, state, destinations, record, history), lines)


def _used(state: State | None, is_served: bool, now: float) -> list[str]:
    if state is None:
        text = "nothing is under way to it" if is_served else "the server does NOT run"
        return [f"  now         {text}"]
    lines = [
        (
            f"  now         {state['connections']} connections, {state['allowed']} allowed:"
            f" {state['why']}"
        ),
        f"  in line     {count(state['in_turn'], 'destination')}",
    ]
    if state["pause_until"] > now:
        lines.append(f"  pauses      until {when(state['pause_until'], now)}")
    return lines


def _limits(state: State | None, name: str, config: Config) -> list[str]:
    """Return the limits, and where they come from."""
    most, whence = _connections(name, config)
    if state is not None:
        most = state["most"]
    messages = f"{config.sending.messages} messages over each"
    if state is not None and state["max_messages"]:
        messages = f"{state['max_messages']} messages over each (learned: it closes then)"
    lines = [
        f"  limits      {most} connections ({whence}), {messages}",
        (
            f"              {config.sending.address_connections} to an address,"
            f" {config.sending.recipients} recipients in a transaction ([sending])"
        ),
    ]
    if state is not None and state["avoids"]:
        lines.append(f"  avoids      IPv{state['avoids']}, which it refuses by policy")
    return lines


def _connections(name: str, config: Config) -> tuple[int, str]:
    for provider in config.providers:
        if provider.name == name and provider.connections:
            return provider.connections, "[[provider]]"
    for provider in known_providers():
        if provider.name == name and provider.connections:
            return provider.connections, "the table of providers"
    return config.sending.site_connections, "[sending] site_connections"


def _remembered(record: SiteRecord | None, now: float) -> list[str]:
    if record is None or not record.failures:
        return []
    lines = [f"  not reached {count(record.failures, 'time')} in a row"]
    if record.rest_until > now:
        lines.append(f"  rests       until {when(record.rest_until, now)}")
    return [*lines, *([f"  because     {said(record.last)}"] if record.last is not None else [])]


# ---------------------------------------------------------------- what it answered


def _answers(history: SiteHistory, span: str) -> list[str]:
    if not history.events:
        return [f"  events      none in the last {span}"]
    lines = [f"  events      {_sums(history.events)} (the last {span})"]
    if history.classes:
        lines.append(f"  refusals    {_sums(history.classes)}")
        lines.append(f"  codes       {_sums(history.codes)}")
    lines += [
        f"  {'phase' if at == 0 else '':<11} {name}: {middle(seconds):.3f} s, "
        f"of 95 % below {middle(seconds, 0.95):.3f} s"
        for at, (name, seconds) in enumerate(history.phases.items())
    ]
    lines += [f"  TLS         {_sums(history.tls)}"] if history.tls else []
    lines += [f"  TLS failed  {_sums(history.tls_failures)}"] if history.tls_failures else []
    for title, event in (("last 421", history.last_closing), ("last", history.last)):
        if event is not None:
            lines.append(f"  {title:<11} {str(event['time'])[:19]}Z {event_text(event)}")
    return lines


def _sums(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counted.most_common(SHOWN))


def _meanings(history: SiteHistory, name: str) -> dict[str, str]:
    """Return what the codes of refusals mean for this server."""
    texts = {
        code: meaning(code, str(event.get("host", name)), str(event.get("source", "")), "")
        for code, event in history.last_refusals.items()
    }
    return {code: text for code, text in texts.items() if text}


# ---------------------------------------------------------------- for programs


def _data(
    name: str,
    state: State | None,
    destinations: Sequence[str],
    record: SiteRecord | None,
    history: SiteHistory,
) -> dict[str, Any]:
    return {
        "site": name,
        "now": None if state is None else dict(state),
        "destinations": destinations,
        "failures": 0 if record is None else record.failures,
        "rests_until": None if record is None else stamp(record.rest_until),
        "events": dict(history.events),
        "classes": dict(history.classes),
        "codes": dict(history.codes),
        "tls": dict(history.tls),
        "tls_failures": dict(history.tls_failures),
        "phases": {
            key: {"middle": middle(values), "of_95_percent": middle(values, 0.95)}
            for key, values in history.phases.items()
        },
        "last_421": history.last_closing,
        "last": history.last,
        "meanings": _meanings(history, name),
    }


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command ``site``."""
    text = "how a site is used now and why, its limits, and what its hosts answered lately"
    parser = command("site", queue_site, text, "name")
    about = "of which time the answers are (1d)"
    parser.add_argument("--for", dest="span", default="1d", metavar="SPAN", help=about)
