"""``twisted-mail waiting``: the mail that waits for programs and lists, and dead letters."""

import argparse
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.output import (
    FAILED,
    FINE,
    CommandError,
    CommandResult,
    count,
    day,
    moment,
    table,
)
from twisted_mail.mail.job import Job
from twisted_mail.mail.route import ProgramTarget
from twisted_mail.net.process.fault_log import fault_text
from twisted_mail.queue.dead_letters import dead_folder
from twisted_mail.queue.folder import WAITING_FOLDER, QueueFolder
from twisted_mail.store.disk.files import DiskFiles


def waiting_list(_: argparse.Namespace, config: Config) -> CommandResult:
    """List the mail that waits for programs and lists."""
    rows = jobs(config)
    cells = [
        (
            row.id,
            day(int(row.created)),
            target_of(row),
            str(row.sender) or "<>",
            str(row.attempts),
            "held" if row.is_held else _minute(row.due),
            row.reason or "-",
        )
        for row in rows
    ]
    titles = ("ID", "SINCE", "FOR", "FROM", "TRIES", "NEXT", "WHY")
    lines = table(titles, cells) or ["no mail waits"]
    dead = len(dead_letters(config).read_all())
    if dead:
        lines += ["", f"{count(dead, 'dead letter')}: see twisted-mail waiting dead"]
    unreadable = unreadable_jobs(config)
    if unreadable:
        lines += ["", "not delivered, because it cannot be read:", *unreadable]
    data = {"waiting": [job_data(row) for row in rows], "dead": dead, "unreadable": unreadable}
    return CommandResult(data, lines, FAILED if unreadable else FINE)


def waiting_dead(_: argparse.Namespace, config: Config) -> CommandResult:
    """List the mail that could not be delivered, and of which nobody could be told."""
    folder = dead_letters(config)
    rows = folder.read_all()
    cells = [
        (
            row.id,
            day(int(row.created)),
            target_of(row),
            str(row.sender) or "<>",
            day(int(row.due)),
            row.reason or "-",
        )
        for row in rows
    ]
    titles = ("ID", "SINCE", "FOR", "FROM", "DEAD SINCE", "WHY")
    lines = table(titles, cells) or ["there are no dead letters"]
    if rows:
        lines += ["", f"the messages are the files ID.mail in {folder.path}"]
    data = [_dead_data(row, folder) for row in rows]
    return CommandResult({"dead": data}, lines)


def waiting_remove(options: argparse.Namespace, config: Config) -> CommandResult:
    """Remove a dead letter."""
    folder = dead_letters(config)
    if options.id not in {row.id for row in folder.read_all()}:
        raise CommandError(f"there is no dead letter {options.id}")
    folder.remove(options.id)
    return CommandResult({"removed": options.id}, [f"the dead letter {options.id} is removed"])


def _dead_data(job: Job, folder: QueueFolder) -> dict[str, Any]:
    return {
        "id": job.id,
        "since": moment(int(job.created)),
        "for": target_of(job),
        "sender": str(job.sender),
        "dead_since": moment(int(job.due)),
        "reason": job.reason,
        "file": os.path.join(folder.path, f"{job.id}.mail"),
    }


def dead_letters(config: Config) -> QueueFolder:
    """Return the folder of the dead letters."""
    return dead_folder(queue_folder(config), DiskFiles())


def queue_folder(config: Config) -> QueueFolder:
    """Return the folder of the queue."""
    return QueueFolder(str(config.state / WAITING_FOLDER), DiskFiles())


def jobs(config: Config) -> list[Job]:
    """Read every job of the queue."""
    return queue_folder(config).read_all()


def unreadable_jobs(config: Config) -> list[str]:
    """Return which jobs of the queue cannot be read, and why not."""
    found: list[str] = []
    QueueFolder(
        queue_folder(config).path,
        DiskFiles(),
        lambda where, error: found.append(fault_text(where, error)),
    ).read_all()
    return sorted(found)


def target_of(job: Job) -> str:
    """Return what a job waits for, as people read it."""
    target = job.target
    if isinstance(target, ProgramTarget):
        return f"|{target.program}"
    return f"{target.list} ({target.role.value})" if target.role.value else target.list


def job_data(job: Job) -> dict[str, Any]:
    """Return a job as JSON shows it."""
    return {
        "id": job.id,
        "since": moment(int(job.created)),
        "for": target_of(job),
        "sender": str(job.sender),
        "tries": job.attempts,
        "next": None if job.is_held else moment(int(job.due)),
        "is_held": job.is_held,
        "reason": job.reason,
    }


def _minute(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of the family ``waiting``."""
    command("list", waiting_list, "list it, and why it waits")
    command("dead", waiting_dead, "list what could not be delivered, nor reported to anybody")
    command("remove", waiting_remove, "remove a dead letter").add_argument("id")
