"""``twisted-mail waiting``: the mail that waits for programs and lists."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.output import CommandResult, day, moment, table
from twisted_mail.mail.job import Job
from twisted_mail.mail.route import ProgramTarget
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
    return CommandResult({"waiting": [job_data(row) for row in rows]}, lines)


def queue_folder(config: Config) -> QueueFolder:
    """Return the folder of the queue."""
    return QueueFolder(str(config.state / WAITING_FOLDER), DiskFiles())


def jobs(config: Config) -> list[Job]:
    """Read every job of the queue."""
    return queue_folder(config).read_all()


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
