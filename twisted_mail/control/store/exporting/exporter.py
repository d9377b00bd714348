"""``store export``: mail as a Maildir or as mbox files, for any other program."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from twisted_mail.config import Config
from twisted_mail.control.output import FAILED, FINE, CommandError, CommandResult, count
from twisted_mail.control.store import accounts
from twisted_mail.control.store.exporting import target_folder
from twisted_mail.control.store.exporting.maildir_target import MaildirTarget
from twisted_mail.control.store.exporting.mbox_target import MboxTarget
from twisted_mail.control.store.mailbox_choice import chosen_mailboxes
from twisted_mail.control.store.progress import GO_ON, Progress
from twisted_mail.control.store.skipped import SkippedItems
from twisted_mail.store.repair.snapshot import MailboxSnapshot, mailbox_snapshots, unread
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.work.list_status import list_mailboxes
from twisted_mail.store.work.perform import perform_steps


class ExportTarget(Protocol):
    """The format and place that mail is exported to."""

    def already(self, moment: MailboxSnapshot) -> int:
        """Return how many of a mailbox's messages the target has."""

    def take(self, moment: MailboxSnapshot, step: Callable[[int], object]) -> int:
        """Write the messages of a mailbox that the target lacks; return how many."""

    def end(self, subscribed: set[str]) -> None:
        """Finish the export."""


def export_mail(options: argparse.Namespace, config: Config) -> CommandResult:
    """Export; run again, it adds what is new."""
    account = accounts.existing_account(config, options.account)
    if not accounts.has_mail(config, account):
        raise CommandError(f"{account} has no mail yet")
    target = Path(os.path.abspath(options.target))
    if target.is_relative_to(config.state):
        raise CommandError(f"{target} lies in the server's own folder")
    skipped = SkippedItems()
    with accounts.opened(config, account) as tree:
        try:
            if options.dry_run:
                return _run(tree, target, target, options, skipped, account)
            with target_folder.opened(target) as folder:
                return _run(tree, target, folder, options, skipped, account)
        except KeyboardInterrupt:
            raise CommandError(f"interrupted; {GO_ON}") from None


def _run(
    tree: Tree,
    path: Path,
    folder: Path,
    options: argparse.Namespace,
    skipped: SkippedItems,
    account: str,
) -> CommandResult:
    infos = perform_steps(tree, list_mailboxes)
    names = chosen_mailboxes([info.name for info in infos if info.is_selectable], options)
    kind = MboxTarget if options.format == "mbox" else MaildirTarget
    target: ExportTarget = kind(folder, tree, skipped)
    done: list[dict[str, Any]] = []
    found = [moment for name in names for moment in perform_steps(tree, mailbox_snapshots, [name])]
    for where, why in unread(tree, found):
        skipped.add(where, why)
    total = sum(len(moment.rows) for moment in found)
    with Progress(total, not options.json) as progress:
        for moment in found:
            progress.place = moment.name
            if options.dry_run:
                came = len(moment.rows) - target.already(moment)
            else:
                came = target.take(moment, progress.step)
            size = len(moment.rows)
            done.append({"mailbox": moment.name, "found": size, "exported": came})
    if not options.dry_run:
        target.end({info.name for info in infos if info.is_subscribed} & {*names})
    return _answer(account, path, done, options.dry_run, skipped)


def _answer(
    account: str, path: Path, done: list[dict[str, Any]], is_dry: bool, skipped: SkippedItems
) -> CommandResult:
    would = "would be exported" if is_dry else "exported"
    lines = []
    for each in done:
        rest = each["found"] - each["exported"]
        already = f", {rest} there already or skipped" if rest else ""
        lines.append(f"{each['mailbox']}: {count(each['exported'], 'message')} {would}{already}")
    total = sum(each["exported"] for each in done)
    lines += [f"{count(total, 'message')} {would} to {path}", *skipped.lines()]
    data = {
        "account": account,
        "target": str(path),
        "dry_run": is_dry,
        "exported": total,
        "mailboxes": done,
        "skipped": skipped.data(),
    }
    return CommandResult(data, lines, FAILED if skipped.items else FINE)
