"""Kept dialogues with other hosts, for people and for programs."""

from collections.abc import Iterable, Sequence
from typing import Any

from twisted_mail.config import Config
from twisted_mail.journey.dialogues import find_dialogues
from twisted_mail.journey.event_lines import stamp
from twisted_mail.mail.journey.dialogue import Dialogue

SHOWN_LINES = 60  # of one dialogue
SHOWN = 20  # dialogues of one answer
WIDE = 300  # characters of a line


def kept_dialogues(config: Config, ids: Iterable[str]) -> list[Dialogue]:
    """Return the dialogues of these ids that are still kept, in the order of the ids. Raises OSError."""
    wanted = list(dict.fromkeys(filter(None, ids)))[-SHOWN:]
    found = find_dialogues(str(config.journey_folder), wanted)
    return [found[id] for id in wanted if id in found]


def dialogue_text(dialogue: Dialogue, indent: str = "") -> list[str]:
    """Return a dialogue for people: who, and each line with its seconds since the beginning."""
    about = f"dialogue with {dialogue.host} [{dialogue.address}] from {stamp(dialogue.began)}"
    lines = [
        f"{indent}  {one.at:8.3f}  {one.side}: {_short(one.text)}"
        for one in dialogue.lines[:SHOWN_LINES]
    ]
    more = len(dialogue.lines) - SHOWN_LINES
    rest = [f"{indent}  and {more} more lines (--json has all)"] if more > 0 else []
    return [f"{indent}{about}", *lines, *rest]


def _short(text: str) -> str:
    return text if len(text) <= WIDE else f"{text[:WIDE]}..."


def dialogue_data(dialogue: Dialogue) -> dict[str, Any]:
    """Return a dialogue for programs."""
    return {
        "id": dialogue.id,
        "message": dialogue.message,
        "began": stamp(dialogue.began),
        "host": dialogue.host,
        "address": dialogue.address,
        "source": dialogue.source,
        "tls": dialogue.tls,
        "use": dialogue.use,
        "lines": [{"at": one.at, "side": one.side, "text": one.text} for one in dialogue.lines],
    }


def dialogues_text(dialogues: Sequence[Dialogue]) -> list[str]:
    """Return dialogues for people, each behind an empty line."""
    return [line for one in dialogues for line in ("", *dialogue_text(one))]
