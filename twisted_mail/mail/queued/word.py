"""Words: what the operator asks of the queue, as the control command writes them for the server."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from twisted_mail.mail.queued.destination import parse_destination
from twisted_mail.mail.queued.selection import EVERYTHING, SelectedState, Selection
from twisted_mail.mail.queued.suspension import SUSPENSION_KINDS, Suspension

MAX_WORD = 1 << 20  # characters of one word


class Act(Enum):
    """What is to be done.

    ``APPROVE`` and ``REJECT`` are about what waits for the moderators of a list. ``ASK`` alters
    nothing: it asks what only a running server knows.
    """

    RETRY = "retry"
    HOLD = "hold"
    RELEASE = "release"
    REMOVE = "remove"
    FAIL = "fail"
    APPROVE = "approve"
    REJECT = "reject"
    SUSPEND = "suspend"
    RESUME = "resume"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Word:
    """One word. ``selection`` is for those about recipients, ``suspension`` for SUSPEND and RESUME.

    ``destinations`` (``smtp:example.org``) are those about which ASK asks what their mail waits for.
    ``by`` is who gave it, for the log.
    """

    act: Act
    selection: Selection = EVERYTHING
    suspension: Suspension | None = None
    destinations: tuple[str, ...] = ()
    by: str = "operator"


def write_word(word: Word) -> str:
    """Return a word as JSON, without what is not given."""
    data: dict[str, Any] = {"act": word.act.value, "by": word.by}
    if not word.selection.is_empty:
        data["selection"] = given(word.selection)
    if word.suspension is not None:
        data["suspension"] = given(word.suspension)
    if word.destinations:
        data["destinations"] = word.destinations
    return json.dumps(data)


def given(value: Selection | Suspension) -> dict[str, Any]:
    """Return what is given of a value, by name."""
    found = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: one.value if isinstance(one, Enum) else one for name, one in found.items() if one}


def read_word(text: str) -> Word:
    """Read what ``write_word`` has written. Raises ValueError for everything else."""
    try:
        if len(text) > MAX_WORD:
            raise ValueError
        data = json.loads(text)
        suspension = data.get("suspension")
        return Word(
            Act(data["act"]),
            _selection(data.get("selection", {})),
            None if suspension is None else _suspension(suspension),
            tuple(str(parse_destination(one)) for one in data.get("destinations", ())),
            str(data["by"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ValueError("this is no word for the queue") from None


def _selection(data: Mapping[str, Any]) -> Selection:
    state = data.get("state")
    return Selection(
        ids=tuple(map(str, data.get("ids", ()))),
        destinations=tuple(map(str, data.get("destinations", ()))),
        older=float(data.get("older", 0.0)),
        state=None if state is None else SelectedState(state),
        **{name: str(data[name]) for name in _TEXTS if name in data},
    )


_TEXTS = ("recipient", "sender", "site", "account", "reason")


def _suspension(data: Mapping[str, Any]) -> Suspension:
    if data["kind"] not in SUSPENSION_KINDS:
        raise ValueError
    times = (float(data.get("until", 0.0)), float(data.get("since", 0.0)))
    return Suspension(data["kind"], str(data["name"]), *times)
