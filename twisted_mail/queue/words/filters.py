"""Whether filters select a recipient: exactly, and as a condition of SQL that lets few others pass."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from twisted_mail.interfaces.operator import SelectedRecipient
from twisted_mail.mail.address import Address, canonical_text
from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.mail.queued.job import OwedRecipient, RecipientState
from twisted_mail.mail.queued.selection import SelectedState, Selection

NULL_SENDER = "<>"
_CLASSES = frozenset(one.value for one in ReplyClass)
_NUMBERS = {
    SelectedState.HELD: 1,
    SelectedState.WAITING: 0,
    SelectedState.DEFERRED: 0,
    SelectedState.DAMAGED: 2,
    SelectedState.UNREPORTED: 5,
}


# ---------------------------------------------------------------- exactly


def is_selected(selection: Selection, one: SelectedRecipient, now: float) -> bool:
    """Return whether a recipient meets all filters. ``site`` is not looked at."""
    job, recipient = one.job, one.recipient
    return (
        (not selection.ids or is_named(selection.ids, job.id, recipient.number))
        and (not selection.recipient or _is_for(selection.recipient, recipient))
        and (not selection.sender or _is_from(selection.sender, job.sender))
        and (not selection.destinations or str(recipient.destination) in selection.destinations)
        and (not selection.account or job.submitter == selection.account)
        and (not selection.older or job.arrived <= now - selection.older)
        and (not selection.reason or _is_because(selection.reason, recipient))
        and (selection.state is None or _is_in(selection.state, recipient))
    )


def is_named(ids: tuple[str, ...], id: str, number: int) -> bool:
    """Return whether ids name a recipient, or its job."""
    return id in ids or f"{id}/{number}" in ids


def _is_for(pattern: str, recipient: OwedRecipient) -> bool:
    is_meant = _pattern(pattern)
    written = recipient.original
    return is_meant(recipient.address.key) or (written is not None and is_meant(written.key))


def _is_from(pattern: str, sender: Address) -> bool:
    return sender.is_null if pattern == NULL_SENDER else _pattern(pattern)(sender.key)


@lru_cache(64)
def _pattern(text: str) -> Callable[[str], bool]:
    parts = (re.escape(part) for part in canonical_text(text).split("*"))
    found = re.compile(".*".join(parts), re.DOTALL)
    return lambda key: found.fullmatch(key) is not None


def _is_because(reason: str, recipient: OwedRecipient) -> bool:
    last = recipient.last
    if reason in _CLASSES:
        return last is not None and last.reply_class.value == reason
    said = (
        "" if last is None else f"{last.outcome.code} {last.outcome.enhanced} {last.outcome.text}"
    )
    return reason.lower() in f"{said}\n{recipient.reason}".lower()


def _is_in(state: SelectedState, recipient: OwedRecipient) -> bool:
    if state is SelectedState.HELD:
        return recipient.state is RecipientState.HELD
    if state is SelectedState.UNREPORTED:
        return recipient.state is RecipientState.UNREPORTED
    is_waiting = recipient.state is RecipientState.WAITING and state is not SelectedState.DAMAGED
    return is_waiting and (state is SelectedState.WAITING or recipient.tries > 0)


# ---------------------------------------------------------------- in SQL

Condition = tuple[str, list[object]]


def condition(selection: Selection, now: float) -> Condition:
    """Return a condition on recipients ``r`` and jobs ``j``, true for all selected and some more.

    Addresses in the database are canonical, as ``Address.key`` is.
    """
    found = [one for make in _MAKERS if (one := make(selection, now)) is not None]
    texts = " AND ".join(f"({text})" for text, _ in found)
    return texts or "1", [value for _, values in found for value in values]


def _ids(selection: Selection, _: float) -> Condition | None:
    if not selection.ids:
        return None
    jobs = sorted({*selection.ids, *(one.rpartition("/")[0] for one in selection.ids)} - {""})
    return "j.id IN (SELECT value FROM json_each(?))", [json.dumps(jobs)]


def _recipient(selection: Selection, _: float) -> Condition | None:
    if not selection.recipient:
        return None
    value = _like(selection.recipient)
    return r"r.address LIKE ? ESCAPE '\' OR r.original LIKE ? ESCAPE '\'", [value, value]


def _sender(selection: Selection, _: float) -> Condition | None:
    if not selection.sender:
        return None
    if selection.sender == NULL_SENDER:
        return "j.sender = ''", []
    return r"j.sender LIKE ? ESCAPE '\'", [_like(selection.sender)]


def _destinations(selection: Selection, _: float) -> Condition | None:
    if not selection.destinations:
        return None
    if len(selection.destinations) == 1:
        return "r.destination = ?", [*selection.destinations]
    wanted = json.dumps(selection.destinations)
    return "r.destination IN (SELECT value FROM json_each(?))", [wanted]


def _account(selection: Selection, _: float) -> Condition | None:
    return ("j.submitter = ?", [selection.account]) if selection.account else None


def _older(selection: Selection, now: float) -> Condition | None:
    return ("j.arrived <= ?", [now - selection.older]) if selection.older else None


def _reason(selection: Selection, _: float) -> Condition | None:
    """Return a condition for a class of replies; what is in a text is not in a column."""
    if selection.reason not in _CLASSES:
        return None
    return "r.reply_class = ?", [selection.reason]


def _state(selection: Selection, _: float) -> Condition | None:
    if selection.state is None:
        return None
    more = " AND r.tries > 0" if selection.state is SelectedState.DEFERRED else ""
    return f"r.state = ?{more}", [_NUMBERS[selection.state]]


_MAKERS = (_destinations, _ids, _recipient, _sender, _account, _older, _reason, _state)


def _like(pattern: str) -> str:
    """Return the pattern of LIKE for one in which ``*`` stands for anything."""
    escaped = re.sub(r"([\\%_])", r"\\\1", canonical_text(pattern))
    return escaped.replace("*", "%")


# ---------------------------------------------------------------- sites


def behind_site(selection: Selection, destinations: frozenset[str]) -> Selection | None:
    """Return a selection with the destinations of its site in place of it; None if none is left."""
    wanted = frozenset(selection.destinations)
    left = wanted & destinations if wanted else destinations
    return replace(selection, site="", destinations=tuple(sorted(left))) if left else None
