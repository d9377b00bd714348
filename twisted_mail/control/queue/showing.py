"""``queue show``: one message, with everything that is known of its recipients."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.checks.server_user import server_user_of
from twisted_mail.control.journey.dialogue_words import (
    dialogue_data,
    dialogues_text,
    kept_dialogues,
)
from twisted_mail.control.output import CommandError, CommandResult, count
from twisted_mail.control.queue.filters import parsed_id
from twisted_mail.control.queue.listing import recipient_data
from twisted_mail.control.queue.opened import now, opened_queue
from twisted_mail.control.queue.phrases import circumstances, said, stamp, waits_for, when
from twisted_mail.control.queue.waiting import Waiting
from twisted_mail.interfaces import SelectedRecipient
from twisted_mail.mail.journey.dialogue import Dialogue
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import JobKind, QueuedJob, RecipientState
from twisted_mail.mail.queued.wait_reason import WaitReason
from twisted_mail.queue.dispatch.schedule import expires_at
from twisted_mail.queue.spool.rows import DamagedRow
from twisted_mail.queue.words.queries import ShownJob, shown_job

SHOWN = 100  # recipients of a message; --json has all
UNKNOWN = (
    "it was delivered, has failed, or never came here: twisted-mail trace says what became of it"
)

Row = tuple[SelectedRecipient, list[WaitReason]]


def queue_show(options: argparse.Namespace, config: Config) -> CommandResult:
    """Show a message of the queue, and what each of its recipients waits for."""
    moment = now()
    id, number = parsed_id(options.id)
    with opened_queue(config) as queue:
        try:
            shown = shown_job(queue.connection, id)
        except DamagedRow as error:
            cure = f"twisted-mail queue remove {id}"
            raise CommandError(f"{id} is damaged and is not sent: {error} ({cure})") from None
        found = [] if shown is None else _wanted(shown, number)
        is_damaged = shown is not None and number in shown.damaged
        if shown is None or (number is not None and not found and not is_damaged):
            raise CommandError(f"nothing in the queue is {options.id}: {UNKNOWN}")
        waiting = Waiting(queue, (str(one.recipient.destination) for one in found))
    rows = [(one, waiting.reasons(one, moment)) for one in found]
    until = expires_at(shown.job, config.queue.schedule)
    said = _dialogues(config, rows)
    lines = [*_message(shown, moment, until), *_recipients(rows, moment), *dialogues_text(said)]
    data = {**_data(shown, rows, until), "dialogues": list(map(dialogue_data, said))}
    return CommandResult(data, lines)


def _dialogues(config: Config, rows: Sequence[Row]) -> list[Dialogue]:
    """Return the dialogues of the last tries, as far as they are kept; several may share one."""
    last = [one.recipient.last for one, _ in rows]
    with server_user_of(config.state).acting():
        return kept_dialogues(config, (one.dialogue for one in last if one is not None))


def _wanted(shown: ShownJob, number: int | None) -> list[SelectedRecipient]:
    return [one for one in shown.recipients if number in (None, one.recipient.number)]


# ---------------------------------------------------------------- for people


def _message(shown: ShownJob, now: float, until: float) -> list[str]:
    job = shown.job
    owed = len(shown.recipients) + len(shown.damaged)
    lines = [
        f"message {job.id}" + (", a report" if job.kind is JobKind.REPORT else ""),
        f"  from        <{job.sender}>" + (f" (account {job.submitter})" * bool(job.submitter)),
        f"  arrived     {when(job.arrived, now)}",
        f"  tried until {when(until, now)}",
        f"  size        {count(job.size, 'octet')}",
        f"  message-id  {job.message_id or '-'}",
        f"  owed to     {count(owed, 'recipient')}",
    ]
    if shown.damaged:
        numbers = ", ".join(map(str, shown.damaged))
        lines.append(f"  damaged     recipients {numbers}: held, and never sent")
    return lines


def _recipients(rows: Sequence[Row], now: float) -> list[str]:
    lines = [line for row in rows[:SHOWN] for line in _recipient(row, now)]
    if len(rows) > SHOWN:
        lines += ["", f"and {len(rows) - SHOWN} more (--json has all; ID/NUMBER shows one)"]
    return lines


def _recipient(row: Row, now: float) -> list[str]:
    one, why = row
    recipient = one.recipient
    lines = ["", f"recipient {one.job.id}/{recipient.number}: <{recipient.address}>"]
    if recipient.original is not None:
        lines.append(f"  written as  <{recipient.original}>")
    lines.append(f"  leads to    {recipient.destination}")
    lines.append(f"  state       {_state(one)}")
    if recipient.state is RecipientState.WAITING:
        lines.append(f"  next try    {_next_try(recipient.due, now)}")
    lines += [f"  waits for   {waits_for(reason, now)}" for reason in why]
    return lines + _last(recipient.last, now)


def _next_try(due: float, now: float) -> str:
    if due > now:
        return when(due, now)
    return f"due since {when(due, now)}" if due else "due at once"


def _state(one: SelectedRecipient) -> str:
    recipient = one.recipient
    tried = f"tried {count(recipient.tries, 'time')}" if recipient.tries else "not tried yet"
    told = f", sender has {count(recipient.notices, 'notice')}" if recipient.notices else ""
    return f"{recipient.state.value}, {tried}{told}"


def _last(last: Attempt | None, now: float) -> list[str]:
    if last is None:
        return []
    lines = [f"  last try    {when(last.at, now)}", f"              {said(last)}"]
    more = circumstances(last)
    took = sum(last.phases.values())
    lines += [f"              {more}"] if more else []
    if last.phases:
        phases = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in last.phases.items())
        lines.append(f"              {phases} ({took:.2f} s in all)")
    return lines


# ---------------------------------------------------------------- for programs


def _data(shown: ShownJob, rows: Sequence[Row], until: float) -> dict[str, Any]:
    return {
        **_job_data(shown.job),
        "expires": stamp(until),
        "damaged": list(shown.damaged),
        "recipients": [recipient_data(one, why) for one, why in rows],
    }


def _job_data(job: QueuedJob) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind.value,
        "from": str(job.sender),
        "account": job.submitter,
        "arrived": stamp(job.arrived),
        "size": job.size,
        "message_id": job.message_id,
        "priority": job.mail_parameters.priority,
    }


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command ``show``."""
    command("show", queue_show, "show a message, and what each recipient waits for", "id")
