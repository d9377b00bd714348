"""``trace``: the story of a message, from its arrival to mailboxes or other hosts."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.checks.server_user import server_user_of
from twisted_mail.control.journey.dialogue_words import (
    dialogue_data,
    dialogue_text,
    kept_dialogues,
)
from twisted_mail.control.journey.event_words import clock, day, event_text
from twisted_mail.control.output import WRONG_USE, CommandError, CommandResult, count, table
from twisted_mail.journey.search import is_about
from twisted_mail.journey.story import Journey, Story, find, tell
from twisted_mail.mail.journey.dialogue import Dialogue

SHOWN = 200  # events of one message; --json has all
LISTED = 20  # messages of an address
MAX_ASKED = 1000  # characters of what is asked for


def trace(options: argparse.Namespace, config: Config) -> CommandResult:
    """Tell the story of a message, or name the messages of an address."""
    asked = options.what.strip()
    if not asked.strip("<>") or len(asked) > MAX_ASKED:
        raise CommandError("say an id, an address or a Message-ID", WRONG_USE)
    folder = str(config.journey_folder)
    with server_user_of(config.state).acting():
        found = find(folder, asked)
        if not found:
            raise CommandError(f"no event of the last {_kept(config)} is about {asked}")
        roots = [one for one in found if not one.came_of]
        if len(roots) > 1 and not options.all and not _is_one_message(roots, asked):
            return _list(roots)
        story = tell(folder, [one.id for one in found])
        said = [str(one.get("dialogue", "")) for each in story.journeys for one in each.events]
        dialogues = kept_dialogues(config, said)
    data = {
        "messages": list(map(_data, story.journeys)),
        "more": story.more,
        "dialogues": list(map(dialogue_data, dialogues)),
    }
    return CommandResult(data, _tell(story, {one.id: one for one in dialogues}))


def _kept(config: Config) -> str:
    return count(config.journey.days, "day")


def _is_one_message(roots: Sequence[Journey], asked: str) -> bool:
    """Return whether a Message-ID was asked for, so that all that was found is one message."""
    wanted = asked.strip("<>")
    keys = ("message_id",)
    return all(
        any(is_about({key: event.get(key)}, wanted) for event in one.events for key in keys)
        for one in roots
    )


def _list(roots: Sequence[Journey]) -> CommandResult:
    """Name the newest of many messages."""
    shown, more = roots[-LISTED:], max(len(roots) - LISTED, 0)
    cells = [
        (
            one.id,
            str(one.events[0]["time"])[:19].replace("T", " "),
            _first(one, "from"),
            _first(one, "to"),
            str(one.events[-1]["event"]),
        )
        for one in shown
    ]
    lines = table(("MESSAGE", "FIRST EVENT (UTC)", "FROM", "TO", "LAST EVENT"), cells)
    earlier = [f"and {count(more, 'message')} before these"] if more else []
    lines += [*earlier, "", "twisted-mail trace MESSAGE tells the story of one, --all those of all"]
    return CommandResult({"messages": list(map(_data, shown)), "more": more}, lines)


def _first(journey: Journey, key: str) -> str:
    """Return a field of the first event that has it, short."""
    values = [event[key] for event in journey.events if key in event]
    if not values:
        return "-"
    value = values[0]
    text = (
        str(value[0]) + (f" +{len(value) - 1}" if len(value) > 1 else "")
        if isinstance(value, list) and value
        else str(value)
    )
    return (text or "<>")[:60]


def _tell(story: Story, dialogues: dict[str, Dialogue]) -> list[str]:
    lines: list[str] = []
    for one in story.journeys:
        lines += [*([""] if lines else []), *_story(one, dialogues)]
    return [*lines, "", f"and {count(story.more, 'message')} more"] if story.more else lines


def _story(journey: Journey, dialogues: dict[str, Dialogue]) -> list[str]:
    """Return the story of one message; each dialogue stands behind the first event that has it."""
    came = f", which came of {journey.came_of}" if journey.came_of else ""
    lines = [f"message {journey.id}{came}"]
    message_id = _first(journey, "message_id")
    if message_id != "-":
        lines.append(f"  message-id {message_id}")
    today = ""
    for event in journey.events[:SHOWN]:
        if day(event) != today:
            today = day(event)
            lines.append(f"  {today} (UTC)")
        lines.append(f"    {clock(event)}  {event_text(event)}")
        said = dialogues.pop(str(event.get("dialogue", "")), None)
        lines += dialogue_text(said, " " * 18) if said is not None else []
    if len(journey.events) > SHOWN:
        lines.append(f"    and {len(journey.events) - SHOWN} more events (--json has all)")
    return lines


def _data(journey: Journey) -> dict[str, Any]:
    return {"id": journey.id, "came_of": journey.came_of or None, "events": journey.events}


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command ``trace``."""
    text = "the story of a message, by its id, its Message-ID, or an address"
    parser = command("trace", trace, text)
    parser.add_argument("what", metavar="ID|ADDRESS|MESSAGE-ID")
    about = "of an address: the stories of all its messages, and not a list of them"
    parser.add_argument("--all", action="store_true", help=about)
