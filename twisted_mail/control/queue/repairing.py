"""``queue repair``: bring back what can be read of a damaged queue, with the server stopped."""

import argparse
from collections.abc import Callable
from dataclasses import asdict

import apsw

from twisted_mail.config import Config
from twisted_mail.control.checks.server_user import server_user_of
from twisted_mail.control.output import CommandError, CommandResult, count
from twisted_mail.control.queue.opened import now
from twisted_mail.queue.spool.lock import QueueInUse
from twisted_mail.queue.spool.mending.repair import repair
from twisted_mail.queue.spool.schema import SpoolUnusable
from twisted_mail.store.disk.files import DiskFiles

IN_USE = (
    "the server runs, and has the queue: stop it first; it repairs a damaged queue when it starts"
)


def queue_repair(_: argparse.Namespace, config: Config) -> CommandResult:
    """Set the database aside, and make a new one of every job that can be read."""
    folder = config.queue_folder
    if not folder.is_dir():
        raise CommandError(f"there is no queue at {folder}")
    with server_user_of(config.state).acting():
        try:
            found = repair(str(folder), DiskFiles(), now())
        except QueueInUse:
            raise CommandError(IN_USE) from None
        except SpoolUnusable as error:
            raise CommandError(f"{error}; nothing is altered") from None
        except apsw.Error as error:
            raise CommandError(f"the queue in {folder} cannot be repaired now: {error}") from None
    lines = [
        f"{count(found.jobs, 'message')} for {count(found.recipients, 'recipient')} brought back",
        f"the old files are in {found.folder}",
    ]
    if found.damaged:
        lines.append(f"{count(found.damaged, 'message')} damaged: held, and never sent")
    return CommandResult(asdict(found), lines)


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command ``repair``."""
    command("repair", queue_repair, "bring back what can be read of a damaged queue")
