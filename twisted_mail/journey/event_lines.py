"""Events as lines of JSON, and back.

``docs/events.md`` describes each event and each field for those who read the files with programs: both
are promises. A line begins with the id, so that the lines of a message are found without reading
the others. Lines are ASCII alone, whatever people and hosts have said: nothing in them moves a cursor.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

MAX_VALUE = 2000  # characters of a text in an event
MAX_NAMED = 100  # members of a list in an event

# Moment (seconds since 1970), name, fields: as events wait for being written.
Event = tuple[float, str, Mapping[str, object]]

RECIPIENT = ("to", "for", "destination", "site", "tries", "delay")
OTHER_SIDE = (
    *("host", "address", "source", "tls", "use", "phases", "class", "code", "enhanced"),
    *("text", "command", "output", "tls_failure", "demanded", "proven", "dialogue"),
)
TRIED = (*RECIPIENT, *OTHER_SIDE)
ALTERED = ("to", "for", "destination", "by", "next")

# The fields of each event, besides ``id``, ``time`` and ``event``.
EVENTS: Mapping[str, Sequence[str]] = {
    "received": ("from", "to", "recipients", "size", "address", "account", "tls", "message_id"),
    "refused": ("service", "address", "text"),
    "judged": ("filter", "stage", "decision", "address", "text"),
    "stored": ("accounts", "mailbox"),
    "moderated": ("list", "result", "text"),
    "accepted": (
        *("from", "account", "size", "kind", "priority", "recipients", "to", "message_id"),
    ),
    "tried": ("destination", "site", "until", *OTHER_SIDE),
    "delivered": TRIED,
    "deferred": (*TRIED, "next"),
    "failed": TRIED,
    "expired": TRIED,
    "expanded": ("to", "for", "destination", "recipients", "jobs"),
    "reported": ("to", "report", "failed", "delayed", "delivered", "relayed", "expanded"),
    "held": ALTERED,
    "released": ALTERED,
    "retried": ALTERED,
    "removed": ALTERED,
    "approved": ALTERED,
    "rejected": ALTERED,
    "word": ("act", "by", "recipients", "suspension", "selection"),
}

_text = json.encoder.encode_basestring_ascii


def event_line(event: Event) -> str:
    """Return an event as a line, with its end. Fields without a value are left out.

    Put together here, in a third of the time of a whole encoding: there are several for each message.
    """
    moment, name, fields = event
    parts = [f'{{"id":{_text(str(fields.get("id", "")))},"time":"{stamp(moment)}","event":"{name}"']
    for key, value in fields.items():
        if isinstance(value, str):
            if (value or key == "from") and key != "id":  # the null sender is empty
                parts.append(f'"{key}":{_cut(value)}')
        elif value or value == 0:
            parts.append(f'"{key}":{_encoded(value)}')
    return ",".join(parts) + "}\n"


def event_lines(events: Iterable[Event]) -> bytes:
    """Return events as lines."""
    return "".join(map(event_line, events)).encode("ascii")


def _cut(value: str) -> str:
    return _text(value if len(value) <= MAX_VALUE else f"{value[:MAX_VALUE]}...")


def _encoded(value: object) -> str:
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, tuple | list):
        return f"[{','.join([_cut(str.__str__(one)) for one in value[:MAX_NAMED]])}]"
    if isinstance(value, dict):
        pairs = [f"{_text(str(key))}:{_encoded(one)}" for key, one in value.items()]
        return f"{{{','.join(pairs)}}}"
    return _cut(str(value))


def read_event(line: bytes) -> dict[str, Any] | None:
    """Read a line; None for one that is torn or is none."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not isinstance(data.get("event"), str):
        return None
    is_whole = isinstance(data.get("id"), str) and isinstance(data.get("time"), str)
    return data if is_whole else None


def stamp(moment: float) -> str:
    """Return a time in UTC to the millisecond: ``2026-12-01T12:05:13.412Z``."""
    second = int(moment)
    return f"{_second(second)}.{int((moment - second) * 1000):03}Z"


@lru_cache(maxsize=8)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
