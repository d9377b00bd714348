"""``queue watch``: events as they happen, a line each, until it is interrupted."""

import argparse
import fnmatch
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.checks.server_user import server_user_of
from twisted_mail.control.journey.event_words import clock, event_text
from twisted_mail.control.output import WRONG_USE, CommandError, CommandResult, show
from twisted_mail.control.queue.filters import destination, span_seconds
from twisted_mail.journey.event_lines import EVENTS
from twisted_mail.journey.following import JourneyFollower

LOOK_SECONDS = 0.2
MAX_FOLLOWED = 10_000  # messages that a filter has let through, whose later events are shown, too

Event = Mapping[str, Any]


class EventFilter:
    """Which events are shown: those that meet all filters, and what follows of their messages.

    A sender or account stands only in the first events of a message.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._events = frozenset(options.event or ())
        self._patterns = {
            "to": _pattern(options.to),
            "from": _pattern(options.sender),
            "account": _pattern(options.account),
            "site": _pattern(options.site),
            "id": options.id or "",
        }
        self._destination = str(destination(options.domain)) if options.domain else ""
        self._followed: OrderedDict[str, None] = OrderedDict()

    def lets_through(self, event: Event) -> bool:
        """Return whether an event is shown."""
        id = str(event["id"])
        if id in self._followed or self._meets(event):
            self._follow(id)
            return not self._events or event["event"] in self._events
        return False

    def _follow(self, id: str) -> None:
        if id:
            self._followed[id] = None
            if len(self._followed) > MAX_FOLLOWED:
                self._followed.popitem(last=False)

    def _meets(self, event: Event) -> bool:
        wanted = [(key, pattern) for key, pattern in self._patterns.items() if pattern]
        if self._destination and event.get("destination") != self._destination:
            return False
        return all(
            any(fnmatch.fnmatchcase(one, pattern) for one in _texts(event, key))
            for key, pattern in wanted
        )


def _pattern(text: str | None) -> str:
    """Return an address or a name, in which ``*`` stands for anything, as it is compared."""
    plain = (text or "").strip("<>").lower() if text != "<>" else ""
    return "".join(f"[{sign}]" if sign in "[?" else sign for sign in plain)


def _texts(event: Event, key: str) -> Iterable[str]:
    value = event.get(key, ())
    values = value if isinstance(value, list | tuple) else [value]
    more = [event["for"]] if key == "to" and "for" in event else []
    return [str(one).lower() for one in [*values, *more]]


def queue_watch(options: argparse.Namespace, config: Config) -> CommandResult:
    """Show events as they happen, until it is interrupted, or its time or number is over."""
    unknown = [one for one in options.event or () if one not in EVENTS]
    if unknown:
        raise CommandError(f"there is no event {unknown[0]}: {', '.join(EVENTS)}", WRONG_USE)
    if not config.journey.days:
        raise CommandError("no events are kept: [journey] days is 0")
    until = time.monotonic() + span_seconds(options.span, "--for") if options.span else None
    chosen, left = EventFilter(options), options.count
    with server_user_of(config.state).acting():
        follower = JourneyFollower(str(config.journey_folder))
        try:
            while left != 0 and (until is None or time.monotonic() < until):
                events = [event for event in follower.poll() if chosen.lets_through(event)]
                events = events if left is None else events[:left]
                left = None if left is None else left - len(events)
                show(map(_json if options.json else _line, events))
                if left != 0:
                    pause()
        except KeyboardInterrupt:
            pass
    return CommandResult({}, [], is_shown=True)


def pause() -> None:
    """Wait until there may be more."""
    time.sleep(LOOK_SECONDS)


def _line(event: Event) -> str:
    return f"{clock(event)}  {str(event['id']) or '-':<16}  {event_text(event)}"


def _json(event: Event) -> str:
    return json.dumps(event, ensure_ascii=True)


def _number(text: str) -> int:
    """Return how many. Raises ValueError, also for none."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command ``watch``."""
    parser = command("watch", queue_watch, "show what happens to mail as it happens, until Ctrl-C")
    filters = parser.add_argument_group("filters: all that are given have to fit")
    filters.add_argument("--to", metavar="ADDRESS", help="of this recipient; * stands for anything")
    filters.add_argument("--from", dest="sender", metavar="ADDRESS", help="of this sender")
    filters.add_argument("--domain", metavar="NAME", help="for this domain, or program:NAME")
    filters.add_argument("--site", metavar="NAME", help="at these mail hosts")
    filters.add_argument("--account", metavar="NAME", help="submitted by this account")
    filters.add_argument("--id", metavar="ID", help="of this message")
    filters.add_argument("--event", metavar="NAME", action="append", help="this event (any number)")
    parser.add_argument("--for", dest="span", metavar="SPAN", help="for 90s, 30m or 2h")
    parser.add_argument("--count", type=_number, metavar="N", help="end after so many events")
