"""``queue retry``, ``hold``, ``release``, ``remove``, ``fail``: what alters recipients."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.output import FAILED, FINE, WRONG_USE, CommandError, CommandResult, count
from twisted_mail.control.queue.filters import add_filters, selection_of
from twisted_mail.control.queue.opened import OpenedQueue, now, opened_queue
from twisted_mail.control.queue.selected import located, require_known, selected
from twisted_mail.control.queue.speaking import speak, speaker
from twisted_mail.mail.queued.selection import Selection
from twisted_mail.mail.queued.word import Act, Word
from twisted_mail.queue.words.alterations import WordTally
from twisted_mail.queue.words.queries import damaged

_DONE = {
    Act.RETRY: ("is tried now", "are tried now"),
    Act.HOLD: ("is held", "are held"),
    Act.RELEASE: ("is released", "are released"),
    Act.REMOVE: ("is removed, without a report", "are removed, without a report"),
    Act.FAIL: ("has failed, and is reported", "have failed, and are reported"),
}
LATER = "the server does not run: this is done, and reported, when it starts"


def alter(options: argparse.Namespace, config: Config, act: Act) -> CommandResult:
    """Do to the recipients that are selected what the command is for."""
    selection = selection_of(options)
    if selection.is_empty and not options.all:
        text = f"queue {act.value} needs an id, a filter or --all: nothing is altered"
        raise CommandError(text, WRONG_USE)
    if options.all and not selection.is_empty:
        raise CommandError("--all goes with no id and no filter: nothing is altered", WRONG_USE)
    with opened_queue(config) as queue:
        require_known(queue, selection)
        if options.dry_run:
            return _dry_run(queue, selection, act)
        return _answered(act, speak(queue, Word(act, selection, by=speaker())))


def _dry_run(queue: OpenedQueue, selection: Selection, act: Act) -> CommandResult:
    """Return what the command would do. Nothing is altered."""
    tally, moment = WordTally(), now()
    for page in selected(queue, located(queue, selection), moment):
        tally.take(act, page, moment)
    if act is Act.REMOVE:
        tally.take_damaged(damaged(queue.connection, selection, moment))
    lines = [f"{_sum(tally.recipients, len(tally.jobs))} would be altered by {act.value}"]
    return CommandResult(
        {**tally.data(), "dry_run": True}, [*lines, *_passed_over(tally.passed_over)]
    )


def _answered(act: Act, answer: Mapping[str, Any]) -> CommandResult:
    if answer.get("later"):
        return CommandResult({"later": True}, [LATER])
    recipients, messages = int(answer["recipients"]), int(answer["messages"])
    done = _DONE[act][recipients != 1]
    lines = [f"{_sum(recipients, messages)} {done}"]
    if act is Act.FAIL and recipients:
        lines.append(f"{count(int(answer['reports']), 'report')} to senders")
    lines += _passed_over(answer["passed_over"])
    return CommandResult(dict(answer), lines, FINE if recipients else FAILED)


def _sum(recipients: int, messages: int) -> str:
    return f"{count(recipients, 'recipient')} of {count(messages, 'message')}"


def _passed_over(found: Mapping[str, int]) -> list[str]:
    return [f"{count(number, 'recipient')} passed over: {why}" for why, number in found.items()]


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands that alter recipients."""
    for act, about in (
        (Act.RETRY, "try now what waits, whenever it is due"),
        (Act.HOLD, "hold mail until it is released"),
        (Act.RELEASE, "let held mail go on"),
        (Act.REMOVE, "remove mail; nobody gets a report"),
        (Act.FAIL, "give mail up; the senders get reports"),
    ):
        parser = command(act.value, _command(act), about)
        add_filters(parser, "*")
        parser.add_argument("--all", action="store_true", help="everything in the queue")
        parser.add_argument("--dry-run", action="store_true", help="show what would be altered")


def _command(act: Act) -> Callable[[argparse.Namespace, Config], CommandResult]:
    return lambda options, config: alter(options, config, act)
