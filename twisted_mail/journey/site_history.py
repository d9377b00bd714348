"""What a site has answered lately: its events, counted."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from twisted_mail.journey.search import EVENT_KIND, Found, events_in, lines_with

MAX_VALUES = 100_000  # seconds of a phase that are kept, for the middle ones


@dataclass(slots=True)
class SiteHistory:
    """The events of one site. ``phases`` has all seconds by name, sorted; the last ones are events."""

    events: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)  # of what did not succeed
    codes: Counter[str] = field(default_factory=Counter)  # and the enhanced ones
    tls: Counter[str] = field(default_factory=Counter)
    tls_failures: Counter[str] = field(default_factory=Counter)
    phases: dict[str, list[float]] = field(default_factory=dict)
    last_closing: Found | None = None  # 421
    last_refusals: dict[str, Found] = field(default_factory=dict)  # by enhanced code
    last: Found | None = None


def site_history(folder: str, site: str, since: str) -> SiteHistory:
    """Return what a site answered since a time, as events have it. Raises OSError."""
    found = SiteHistory()
    for event in events_in(lines_with(folder, EVENT_KIND, site)):
        if event.get("site") == site and str(event["time"]) >= since:
            _count(found, event)
    for seconds in found.phases.values():
        seconds.sort()
    return found


def _count(found: SiteHistory, event: Found) -> None:
    name, code = str(event["event"]), event.get("code")
    found.events[name] += 1
    found.last = event
    if name != "delivered":
        found.classes[str(event.get("class", "other"))] += 1
        enhanced = str(event.get("enhanced", ""))
        found.codes[" ".join(filter(None, (str(code), enhanced)))] += 1
        if enhanced:
            found.last_refusals[enhanced] = event
    if code == 421:
        found.last_closing = event
    if event.get("tls"):
        found.tls[str(event["tls"])] += 1
    if event.get("tls_failure"):
        found.tls_failures[str(event["tls_failure"])] += 1
    _add_phases(found, event.get("phases"))


def _add_phases(found: SiteHistory, phases: object) -> None:
    if not isinstance(phases, dict):
        return
    for name, seconds in phases.items():
        values = found.phases.setdefault(str(name)[:20], []) if len(found.phases) < 20 else []
        if isinstance(seconds, int | float) and len(values) < MAX_VALUES:
            values.append(float(seconds))


def known_sites(folder: str, text: str, most: int = 10) -> list[str]:
    """Return names of sites of the journey that have a text in them. Raises OSError."""
    events: Iterable[Found] = events_in(lines_with(folder, EVENT_KIND, text))
    names = Counter(str(one["site"]) for one in events if text.lower() in str(one.get("site", "")))
    return [name for name, _ in names.most_common(most)]


def middle(seconds: list[float], part: float = 0.5) -> float:
    """Return the value below which a part of sorted ones lies; 0 where there is none."""
    return seconds[min(int(len(seconds) * part), len(seconds) - 1)] if seconds else 0.0
