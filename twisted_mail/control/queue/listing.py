"""``queue list``: the recipients that filters select, a page of them."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.output import WRONG_USE, CommandError, CommandResult, table
from twisted_mail.control.queue.filters import add_filters, selection_of
from twisted_mail.control.queue.opened import OpenedQueue, now, opened_queue
from twisted_mail.control.queue.phrases import attempt_data, reason_data, said, span, stamp
from twisted_mail.control.queue.selected import located, require_known
from twisted_mail.control.queue.waiting import Waiting
from twisted_mail.interfaces import DamagedRecipient, SelectedPage, SelectedRecipient
from twisted_mail.mail.queued.job import OwedRecipient, RecipientState
from twisted_mail.mail.queued.selection import Selection
from twisted_mail.mail.queued.wait_reason import WaitKind, WaitReason
from twisted_mail.queue.words.queries import damaged, last_place, selected_page
from twisted_mail.queue.words.waiting import ended

SHOWN, MAX_SHOWN = 50, 10_000  # recipients of one page
LAST_PLACE = (1 << 63) - 1  # that a database has
_WIDE = 60  # characters of a cell with words
_TITLES = ("RECIPIENT", "AGE", "FROM", "TO", "TRIES", "NEXT", "WHY")

STOPS = (WaitKind.SITE, WaitKind.SUSPENSION, WaitKind.LIMIT)  # whatever was said to the recipient

Row = tuple[SelectedRecipient, list[WaitReason]]


def queue_list(options: argparse.Namespace, config: Config) -> CommandResult:
    """List recipients, the oldest first."""
    if not 0 < options.limit <= MAX_SHOWN:
        raise CommandError(f"--limit goes from 1 to {MAX_SHOWN}", WRONG_USE)
    if not 0 <= options.after <= LAST_PLACE:
        raise CommandError("--after is a place that queue list has named", WRONG_USE)
    selection, moment = selection_of(options), now()
    with opened_queue(config) as queue:
        require_known(queue, selection)
        page = _page(queue, located(queue, selection), moment, options.after, options.limit)
        waiting = Waiting(queue, (str(one.recipient.destination) for one in page.found))
        # Behind all others: they are few, and have no place among those that can be read.
        spoilt = damaged(queue.connection, selection, moment) if page.after is None else []
    rows = [(one, waiting.reasons(one, moment)) for one in page.found]
    cells = [_cells(one, why, moment) for one, why in rows]
    cells += [_damaged_cells(one, moment) for one in spoilt]
    lines = table(_TITLES, cells) or [_nothing(selection)]
    if page.after is not None:
        lines += ["", f"there are more: --after {page.after}"]
    data = {
        "recipients": list(map(_data, rows)),
        "damaged": [_damaged_data(one) for one in spoilt],
        "after": page.after,
    }
    return CommandResult(data, lines)


def _nothing(selection: Selection) -> str:
    return "nothing waits" if selection.is_empty else "nothing that waits fits the filters"


def _page(
    queue: OpenedQueue, selection: Selection | None, now: float, after: int, limit: int
) -> SelectedPage:
    """Return so many recipients, however many rows have to be looked at."""
    found: list[SelectedRecipient] = []
    next_one: int | None = after
    last = last_place(queue.connection)
    while selection is not None and next_one is not None and len(found) < limit:
        most = limit - len(found)
        page = selected_page(queue.connection, selection, now, next_one, last, most)
        found += page.found
        next_one = page.after
    return SelectedPage(found, next_one if selection is not None else None)


def _cells(one: SelectedRecipient, why: Sequence[WaitReason], now: float) -> tuple[str, ...]:
    job, recipient = one.job, one.recipient
    return (
        f"{job.id}/{recipient.number}",
        span(now - job.arrived),
        str(job.sender) or "<>",
        str(recipient.address),
        str(recipient.tries),
        _next(recipient, now),
        _short(why_waiting(recipient, why)),
    )


def _damaged_cells(one: DamagedRecipient, now: float) -> tuple[str, ...]:
    id, age = f"{one.id}/{one.number}", span(now - one.arrived)
    return id, age, one.sender or "<>", one.address, "-", "damaged", "cannot be read, never sent"


def _next(recipient: OwedRecipient, now: float) -> str:
    if recipient.state is RecipientState.HELD:
        return "held"
    if recipient.state is RecipientState.UNREPORTED:
        return "ended"
    return "due" if recipient.due <= now else f"in {span(recipient.due - now)}"


def why_waiting(recipient: OwedRecipient, why: Sequence[WaitReason]) -> str:
    """Return what keeps a recipient from being tried, or else the other side's last words."""
    if recipient.state is RecipientState.HELD:
        return recipient.reason
    if recipient.state is RecipientState.UNREPORTED:
        return ended(recipient)
    stops = [one for one in why if one.kind in STOPS]
    if stops:
        return stops[0].text or stops[0].kind.value
    if recipient.last is not None:
        return said(recipient.last)
    texts = [one.text or one.kind.value for one in why]
    return texts[-1] if texts else "-"


def _short(text: str) -> str:
    return text if len(text) <= _WIDE else f"{text[: _WIDE - 3]}..."


def _damaged_data(one: DamagedRecipient) -> dict[str, Any]:
    stamped = {"arrived": stamp(one.arrived), "is_reported": bool(one.is_reported)}
    return {**asdict(one), **stamped}


def _data(row: Row) -> dict[str, Any]:
    one, why = row
    return {"id": one.job.id, "from": str(one.job.sender), **recipient_data(one, why)}


def recipient_data(one: SelectedRecipient, why: Sequence[WaitReason]) -> dict[str, Any]:
    """Return a recipient as JSON has it, with all that it waits for."""
    recipient = one.recipient
    return {
        "number": recipient.number,
        "to": str(recipient.address),
        "original": None if recipient.original is None else str(recipient.original),
        "destination": str(recipient.destination),
        "state": recipient.state.value,
        "reason": recipient.reason,
        "arrived": stamp(one.job.arrived),
        "account": one.job.submitter,
        "tries": recipient.tries,
        "notices": recipient.notices,
        "next": stamp(recipient.due),
        "waits_for": list(map(reason_data, why)),
        "last": attempt_data(recipient.last),
    }


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command ``list``."""
    parser = command("list", queue_list, "list recipients, and why each waits")
    add_filters(parser, "*")
    text = f"so many at most ({SHOWN})"
    parser.add_argument("--limit", type=int, default=SHOWN, metavar="N", help=text)
    parser.add_argument("--after", type=int, default=0, metavar="PLACE", help="go on from there")
