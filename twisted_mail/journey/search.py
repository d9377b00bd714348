"""Finding events: the files are read from one end to the other, without an index (decision 0044)."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from twisted_mail.journey.day_files import DayFile, day_files, line_chunks
from twisted_mail.journey.event_lines import read_event, stamp
from twisted_mail.mail.ids import moment_of

EVENT_KIND, DIALOGUE_KIND = "events", "dialogues"
MAX_HITS = 50_000  # lines with a text, after which no older file is read
FEW = 6  # ids that are looked for one after the other; with more, each line is looked at
_SKEW = 60.0  # seconds that a clock may have been set back since

Found = dict[str, Any]


def files_since(folder: str, kind: str, since: float = 0.0) -> list[DayFile]:
    """Return the files that may have lines of a time and later, the oldest first. Raises OSError."""
    first = stamp(max(since - _SKEW, 0.0))[:10]
    return [one for one in day_files(folder, kind) if one.day >= first]


def lines_with(folder: str, kind: str, text: str) -> list[bytes]:
    """Return the lines that have a text anywhere, in any case of letters, from the newest files.

    Those of one file are together, in order. Older files are not read where there are very many already.
    Raises OSError.
    """
    needle = json.dumps(text)[1:-1].encode("ascii").lower()
    has_case = not moment_of(text)  # ids have small letters alone
    found: list[bytes] = []
    for file in reversed(day_files(folder, kind)):
        for chunk in line_chunks(folder, file):
            found += _hits(chunk, chunk.lower() if has_case else chunk, needle)
        if len(found) >= MAX_HITS:
            break
    return found


def _hits(chunk: bytes, lowered: bytes, needle: bytes) -> Iterator[bytes]:
    at = lowered.find(needle)
    while at >= 0:
        end = chunk.find(b"\n", at)
        end = len(chunk) if end < 0 else end
        yield chunk[chunk.rfind(b"\n", 0, at) + 1 : end]
        at = lowered.find(needle, end)


def lines_of(folder: str, kind: str, ids: Collection[str], since: float = 0.0) -> list[bytes]:
    """Return the lines that begin with one of the ids, however many these are. Raises OSError."""
    heads = [b'{"id":%s,' % json.dumps(id).encode("ascii") for id in ids]
    found: list[bytes] = []
    for file in files_since(folder, kind, since):
        for chunk in line_chunks(folder, file):
            if len(heads) <= FEW:
                found += [line for head in heads for line in _hits(chunk, chunk, head)]
            else:
                found += _beginning(chunk, heads)
    return found


def _beginning(chunk: bytes, heads: Collection[bytes]) -> list[bytes]:
    """Return the lines that begin with one of many heads."""
    lines = chunk.split(b"\n")
    lengths = {length: {one for one in heads if len(one) == length} for length in map(len, heads)}
    return [line for length, some in lengths.items() for line in lines if line[:length] in some]


def events_in(lines: Iterable[bytes]) -> list[Found]:
    """Return the events of lines in the order of time; what is torn is left out."""
    found = [event for event in map(read_event, lines) if event is not None]
    return sorted(found, key=lambda one: str(one["time"]))


_NAMING = (
    *("id", "from", "to", "for", "account", "accounts", "message_id", "report", "jobs"),
    *("failed", "delayed", "delivered", "relayed", "expanded"),
)


def is_about(event: Found, text: str) -> bool:
    """Return whether an event names an address, an account, a Message-ID or a message's id."""
    wanted = text.lower()
    return any(wanted in _texts(event.get(key)) for key in _NAMING)


def _texts(value: object) -> Sequence[str]:
    values = value if isinstance(value, list) else [value]
    return [one.lower().strip("<>") for one in values if isinstance(one, str)]
