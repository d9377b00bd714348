"""The story of a message: its events, and the messages that came of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from twisted_mail.journey.search import (
    EVENT_KIND,
    Found,
    events_in,
    is_about,
    lines_of,
    lines_with,
)
from twisted_mail.mail.ids import moment_of

MAX_TOLD = 20  # messages of one answer
PASSES = 4  # through the files: reports about what lists made of a message are as deep as it goes


@dataclass(slots=True)
class Journey:
    """One message: its events in order; ``came_of`` is the id of the message that it was made for."""

    id: str
    events: list[Found] = field(default_factory=list)
    came_of: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """What was found: messages in the order in which they began, and how many more there are."""

    journeys: Sequence[Journey]
    more: int = 0


def find(folder: str, text: str) -> list[Journey]:
    """Return the messages that a text is about, the oldest first, with the events that name it.

    The text is an id, a Message-ID with or without brackets, an address or an account. Raises OSError.
    """
    wanted = text.strip().strip("<>")
    found: dict[str, Journey] = {}
    for event in events_in(lines_with(folder, EVENT_KIND, wanted)):
        if event["id"] and is_about(event, wanted):
            found.setdefault(event["id"], Journey(event["id"])).events.append(event)
    for parent in list(found.values()):
        for child in filter(None, map(found.get, _made_by_all(parent))):
            child.came_of = child.came_of or parent.id
    return list(found.values())


def tell(folder: str, ids: Collection[str]) -> Story:
    """Return the stories of messages and of what came of them. Raises OSError."""
    told: dict[str, Journey] = {id: Journey(id) for id in list(ids)[-MAX_TOLD:]}
    more = len(ids) - len(told)
    new: Collection[str] = list(told)
    for _ in range(PASSES):
        if not new:
            break
        since = min(map(moment_of, new))
        for event in events_in(lines_of(folder, EVENT_KIND, new, since)):
            told[event["id"]].events.append(event)
        made = [(one, id) for id in new for one in _made_by_all(told[id])]
        new = []
        for child, parent in made:
            if child in told:
                told[child].came_of = told[child].came_of or parent
            elif len(told) < MAX_TOLD:
                told[child] = Journey(child, came_of=parent)
                new.append(child)
            else:
                more += 1
    return Story([one for one in told.values() if one.events], more)


def made_by(event: Found) -> list[str]:
    """Return the ids of the messages that came of an event: its report, the copies of a list."""
    jobs = event.get("jobs")
    made = [one for one in jobs if isinstance(one, str)] if isinstance(jobs, list) else []
    report = event.get("report")
    return [*made, report] if isinstance(report, str) and report != "none" else made


def _made_by_all(journey: Journey) -> list[str]:
    return [one for event in journey.events for one in made_by(event)]
