"""The answer of Rspamd: an action with its score, and the edits.

What is missing, or has another type than it should have, is ignored; newer versions may send more.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from twisted_mail.mail.mime.safe_fields import phrase
from twisted_mail.mail.verdict import AddField, ChangeField, Edit

MAX_EDITS = 200
MAX_SYMBOLS = 6  # in the reason: those with the highest scores


@dataclass(frozen=True, slots=True)
class RspamdResult:
    """An action with its reason, Rspamd's text for the client, and edits."""

    action: str
    reason: str
    smtp_message: str = ""
    edits: tuple[Edit, ...] = ()


def parse_rspamd_result(answer: object, names: Collection[bytes]) -> RspamdResult:
    """Read an answer to ``/checkv2``; ``names`` are those of the message's fields, in lower case.

    Raises ValueError where there is no action.
    """
    table = _table(answer)
    action = table.get("action")
    if not isinstance(action, str):
        raise ValueError("no action")
    edits = [edit for _, edit in zip(range(MAX_EDITS), _edits(table, names), strict=False)]
    return RspamdResult(
        action,
        _reason(action, table),
        _text(_table(table.get("messages")), "smtp_message"),
        tuple(edits),
    )


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(table: dict[str, Any], name: str) -> str:
    value = table.get(name)
    return value if isinstance(value, str) else ""


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and abs(value) < 1e6 else 0.0


def _reason(action: str, table: dict[str, Any]) -> str:
    """Return the action, score and limit, and the symbols with the highest scores."""
    scores = {
        name: _number(_table(one).get("score"))
        for name, one in _table(table.get("symbols")).items()
    }
    most = sorted((name for name in scores if scores[name]), key=lambda name: -abs(scores[name]))
    score, limit = _number(table.get("score")), _number(table.get("required_score"))
    symbols = "".join(f" {name}={scores[name]:g}" for name in most[:MAX_SYMBOLS])
    return phrase(f"{action}, score {score:.1f} of {limit:.1f}{symbols}", 180)


# ---------------------------------------------------------------- edits


def _edits(table: dict[str, Any], names: Collection[bytes]) -> Iterator[Edit]:
    milter = _table(table.get("milter"))
    counted = Counter(names)
    for name, which in _table(milter.get("remove_headers")).items():
        yield from _removed(name, which, counted[name.encode("utf-8", "replace").lower()])
    for name, value in _table(milter.get("add_headers")).items():
        for one in value if isinstance(value, list) else [value]:
            yield from _added(name, one)
    signature = table.get("dkim-signature")
    for one in signature if isinstance(signature, list) else [signature]:
        yield from _added("DKIM-Signature", {"value": one, "order": 1})
    if table.get("action") == "rewrite subject" and (subject := _text(table, "subject")):
        yield ChangeField("Subject", 1, subject)


def _removed(name: str, which: object, count: int) -> Iterator[Edit]:
    """Yield what removes the n-th field, with 0 all, below that from the last on."""
    for one in which if isinstance(which, list) else [which]:
        if not isinstance(one, int):
            continue
        at = one if one >= 0 else count + 1 + one
        if one == 0:
            yield from (ChangeField(name, 1, None) for _ in range(count))
        elif 1 <= at <= count:
            yield ChangeField(name, at, None)


def _added(name: str, value: object) -> Iterator[Edit]:
    """Yield the edits that add a field: from a text, or a table with its position."""
    table = _table(value)
    text = value if isinstance(value, str) else _text(table, "value")
    if not text:
        return
    folded = "\r\n".join(text.replace("\r\n", "\n").rstrip().split("\n"))
    order = table.get("order")
    if isinstance(order, int) and order >= 0:
        yield AddField(name, folded, place=order)
    else:
        yield AddField(name, folded, at_end=True)
