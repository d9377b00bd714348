"""``twisted-mail list held``, ``approve`` and ``reject``: posts that wait for a word."""

import argparse
import time
from collections.abc import Iterator, Sequence
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.output import CommandError, CommandResult, day, moment, table
from twisted_mail.control.queue.opened import OpenedQueue, opened_queue
from twisted_mail.control.queue.speaking import speak, speaker
from twisted_mail.interfaces import SelectedRecipient
from twisted_mail.mail.queued.selection import SelectedState, Selection
from twisted_mail.mail.queued.word import Act, Word
from twisted_mail.queue.words.queries import last_place, selected_page

_HELD = Selection(state=SelectedState.HELD)


def list_held(_: argparse.Namespace, config: Config) -> CommandResult:
    """List the posts that wait for approval."""
    rows = _all(config)
    cells = [
        (
            row.job.id,
            day(int(row.job.arrived)),
            row.recipient.destination.name,
            str(row.job.sender) or "<>",
            row.recipient.reason,
        )
        for row in rows
    ]
    lines = table(("ID", "SINCE", "LIST", "FROM", "WHY"), cells) or ["nothing is held"]
    return CommandResult({"held": [_data(row) for row in rows]}, lines)


def _all(config: Config) -> list[SelectedRecipient]:
    """Return the posts; none where no server has made a queue yet."""
    if not config.queue_folder.exists():
        return []
    with opened_queue(config) as queue:
        return list(_held(queue))


def _data(row: SelectedRecipient) -> dict[str, Any]:
    return {
        "id": row.job.id,
        "since": moment(int(row.job.arrived)),
        "list": row.recipient.destination.name,
        "sender": str(row.job.sender),
        "reason": row.recipient.reason,
    }


def list_approve(options: argparse.Namespace, config: Config) -> CommandResult:
    """Approve held posts."""
    return _decide(options.id, Act.APPROVE, "goes out", config)


def list_reject(options: argparse.Namespace, config: Config) -> CommandResult:
    """Drop held posts without notice."""
    return _decide(options.id, Act.REJECT, "is dropped", config)


def _decide(ids: Sequence[str], act: Act, effect: str, config: Config) -> CommandResult:
    with opened_queue(config) as queue:
        held = {row.job.id for row in _held(queue)}
        if unknown := [one for one in ids if one not in held]:
            raise CommandError(f"nothing is held as {', '.join(unknown)}")
        speak(queue, Word(act, Selection(ids=tuple(ids)), by=speaker()))
    return CommandResult({act.value: list(ids)}, [f"{one} {effect}" for one in ids])


def _held(queue: OpenedQueue) -> Iterator[SelectedRecipient]:
    """Yield the posts that wait for the moderators of their lists."""
    last = last_place(queue.connection)
    after: int | None = 0
    while after is not None:
        page = selected_page(queue.connection, _HELD, time.time(), after, last)
        yield from (one for one in page.found if one.recipient.waits_for_moderators)
        after = page.after
