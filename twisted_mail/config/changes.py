"""What changes from one configuration to the next, and what of it a running server can take over.

The parts of the state folder (store, directory, queue) and the threads are made once, so their settings
wait for a restart; what only new conversations see is taken over: ``RELOADED`` is the whole list.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from twisted_mail.config.model import Config, FilterConfig, ListenerConfig

# Fields of Config that a running server takes over whole; of [log] it takes ``connections`` alone.
RELOADED = ("listeners", "services", "filters", "arrival_steps", "login", "tls")
_APART = (*RELOADED, "path", "log")
_TABLES = {"programs": "[[program]]", "carriers": "[[carrier]]"}


@dataclass(frozen=True, slots=True)
class ConfigChanges:
    """The difference of two configurations, in lines for people.

    ``done`` is what ``config`` takes over, ``needs_restart`` the options that stay as they were in it.
    """

    config: Config
    done: tuple[str, ...]
    needs_restart: tuple[str, ...]


def compare(old: Config, new: Config) -> ConfigChanges:
    """Return what changes when ``new`` is read while a server runs with ``old``."""
    taken = {name: getattr(new, name) for name in RELOADED}
    log = dataclasses.replace(old.log, connections=new.log.connections)
    config = dataclasses.replace(old, **taken, log=log)
    return ConfigChanges(config, tuple(_taken_over(old, config)), tuple(_left(config, new)))


def _taken_over(old: Config, new: Config) -> Iterator[str]:
    yield from _listeners(old.listeners, new.listeners)
    for name in ("tls", "login", "log"):
        yield from _options(f"[{name}]", getattr(old, name), getattr(new, name))
    for name, settings in new.services.items():
        yield from _options(f"[{name}]", old.services.get(name), settings)
    yield from _filters(old.filters, new.filters)
    if old.arrival_steps != new.arrival_steps:
        yield f"[[arrival_step]]: {', '.join(one.kind for one in new.arrival_steps) or 'none'}"


def _left(config: Config, new: Config) -> Iterator[str]:
    """Return the options of ``new`` that are not in ``config``, which has all that was taken over."""
    yield from _options("[log]", config.log, new.log)
    for field in dataclasses.fields(Config):
        name = field.name
        before, after = getattr(config, name), getattr(new, name)
        if name in _APART or before == after:
            continue
        if dataclasses.is_dataclass(after):
            yield from _options(f"[{name}]", before, after)
        else:
            yield _TABLES.get(name, name)


def _options(section: str, before: Any, after: Any) -> Iterator[str]:
    """Return the options of a section that differ."""
    if before == after:
        return
    if type(before) is not type(after) or not dataclasses.is_dataclass(after):
        yield section
        return
    for field in dataclasses.fields(after):
        if getattr(before, field.name) != getattr(after, field.name):
            yield f"{section} {field.name}"


def _listeners(old: Sequence[ListenerConfig], new: Sequence[ListenerConfig]) -> Iterator[str]:
    pairs = match_endpoints(old, new)
    for at, one in enumerate(new):
        before = pairs.get(at)
        if before is None:
            yield f"listener {one.service} on {one.endpoint}: added"
        elif old[before] != one:
            names = [text.split()[-1] for text in _options("listener", old[before], one)]
            yield f"listener {one.service} on {one.endpoint}: {', '.join(names)}"
    for at, one in enumerate(old):
        if at not in pairs.values():
            yield f"listener {one.service} on {one.endpoint}: removed"


def match_endpoints(old: Sequence[ListenerConfig], new: Sequence[ListenerConfig]) -> dict[int, int]:
    """Return, for each of ``new`` whose endpoint is one of ``old``, the number of that: it stays."""
    unmatched = list(range(len(old)))
    pairs = {}
    for at, one in enumerate(new):
        for before in unmatched:
            if old[before].endpoint == one.endpoint:
                pairs[at] = before
                unmatched.remove(before)
                break
    return pairs


def _filters(old: Sequence[FilterConfig], new: Sequence[FilterConfig]) -> Iterator[str]:
    before, after = {one.name: one for one in old}, {one.name: one for one in new}
    for name, one in after.items():
        if name not in before:
            yield f"filter {name}: added"
        elif before[name] != one:
            yield f"filter {name}: changed"
    yield from (f"filter {name}: removed" for name in before if name not in after)
    kept = [name for name in before if name in after]
    if kept != [name for name in after if name in before]:
        yield "filters: another order"
