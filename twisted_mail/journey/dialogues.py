"""Dialogues with other hosts, kept as lines beside the events, which refer to them by their ids."""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

from twisted_mail.journey.event_lines import read_event, stamp
from twisted_mail.journey.search import DIALOGUE_KIND, lines_of
from twisted_mail.mail.ids import moment_of
from twisted_mail.mail.journey.dialogue import THEY, WE, Dialogue, SpokenLine

_ABOUT = ("message", "host", "address", "source", "tls", "use")


class JourneyDialogues:
    """Fulfils ``interfaces.DialogueJournal``; ``record`` has a dialogue written."""

    def __init__(self, record: Callable[[Dialogue], None], keeps_all: bool = False) -> None:
        self._record = record
        self.keeps_all = keeps_all

    def keep(self, dialogue: Dialogue) -> None:
        """Keep a dialogue."""
        self._record(dialogue)


def dialogue_lines(dialogues: Sequence[Dialogue]) -> bytes:
    """Return dialogues as lines of JSON."""
    return "".join(map(_line, dialogues)).encode("ascii")


def _line(dialogue: Dialogue) -> str:
    data = {
        "id": dialogue.id,
        "time": stamp(dialogue.began),
        "event": "dialogue",
        **{name: getattr(dialogue, name) for name in _ABOUT},
        "began": round(dialogue.began, 3),
        "lines": [(one.at, one.side, one.text) for one in dialogue.lines],
    }
    return json.dumps(data, separators=(",", ":")) + "\n"


def read_dialogue(line: bytes) -> Dialogue | None:
    """Read a line; None for one that is torn or is none."""
    data = read_event(line)
    if data is None or data["event"] != "dialogue":
        return None
    try:
        lines = tuple(_spoken(*one) for one in data["lines"])
        about = [str(data[name]) for name in _ABOUT[:-1]]
        message, host, address, source, tls = about
        began, use = float(data["began"]), int(data["use"])
    except (KeyError, TypeError, ValueError):
        return None
    return Dialogue(data["id"], message, began, host, address, source, tls, use, lines)


def _spoken(at: Any, side: Any, text: Any) -> SpokenLine:
    return SpokenLine(float(at), WE if side == WE else THEY, str(text))


def find_dialogues(folder: str, ids: Collection[str]) -> dict[str, Dialogue]:
    """Return the dialogues that are kept, by their ids. Raises OSError."""
    wanted = [id for id in ids if moment_of(id)]
    if not wanted:
        return {}
    lines = lines_of(folder, DIALOGUE_KIND, wanted, min(map(moment_of, wanted)))
    found = filter(None, map(read_dialogue, lines))
    return {one.id: one for one in found}
