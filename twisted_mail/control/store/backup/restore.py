"""``store restore``: accounts as they were in a backup, UIDs and all."""

import argparse
import os
import time
from collections.abc import Container
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.output import FAILED, FINE, CommandError, CommandResult, count
from twisted_mail.control.store import accounts
from twisted_mail.control.store.backup import (
    directory_copy,
    manifest,
    queue_copy,
    restored_mailboxes,
    snapshots,
)
from twisted_mail.control.store.progress import GO_ON, Progress
from twisted_mail.control.store.skipped import BadItem, SkippedItems, reason_of
from twisted_mail.mail.address import canonical_name
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.outcome import MailError, Refused
from twisted_mail.store.disk.faults import is_of_one_file
from twisted_mail.store.format import mailbox_names
from twisted_mail.store.repair.import_stage import (
    ImportStaging,
    MailboxNumbers,
    is_free,
    publish_staged,
)
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.work.perform import perform, perform_steps
from twisted_mail.store.work.subscribe import subscribe


def restore(options: argparse.Namespace, config: Config) -> CommandResult:
    """Restore; mailboxes that are there unchanged are skipped."""
    snapshot = snapshots.wanted(Path(os.path.abspath(options.folder)), options.snapshot)
    about = snapshots.manifest(snapshot)
    if options.into:
        config = replace(config, state=Path(os.path.abspath(options.into)))
    names = _chosen(about, options.account, config)
    config.state.mkdir(0o700, parents=True, exist_ok=True)
    accounts.check_user(config)
    work = Restore(config, snapshot, options)
    try:
        return work.run(names)
    except KeyboardInterrupt:
        raise CommandError(f"interrupted; {GO_ON}") from None


def _chosen(about: dict[str, Any], named: list[str], config: Config) -> dict[str, str]:
    """Return the folders in the backup of the accounts to restore."""
    there = manifest.account_folders(about)
    if not named:
        return there
    found = {}
    for name in named:
        if "@" not in name and config.domains:
            name = f"{name}@{config.domains[0]}"
        alike = [name, *(one for one in there if canonical_name(one) == canonical_name(name))]
        own = next((one for one in alike if one in there), None)
        if own is None:
            raise CommandError(f"the backup has no account {name}")
        found[own] = there[own]
    return found


class Restore:
    """One run of ``store restore``."""

    def __init__(self, config: Config, snapshot: Path, options: argparse.Namespace) -> None:
        self._config = config
        self._snapshot = snapshot
        self._files = snapshots.opened(snapshot)
        self._counts = manifest.message_counts(snapshots.manifest(snapshot))
        self._options = options
        self._skipped = SkippedItems()
        self._restored = self._already = self._aside = 0
        self._taken: list[str] = []
        self._has_queue = False
        stamp = time.strftime("%Y-%m-%d %H.%M.%S", time.gmtime())
        self._set_aside = f"Before restore {stamp}"

    def run(self, names: dict[str, str]) -> CommandResult:
        """Restore everything. Raises CommandError, MailError, OSError."""
        names = {self._own(name, names): where for name, where in names.items()}
        counts = {name: self._looked_at(name, where) for name, where in names.items()}
        names = {name: where for name, where in names.items() if counts[name] is not None}
        if counts and not names:
            raise CommandError("nothing was restored", details=self._skipped.lines())
        if self._taken:
            raise CommandError(
                "nothing was restored: --replace moves what is there into mailboxes of its own",
                details=self._taken,
            )
        made = directory_copy.restore(self._config, self._files, [*names])
        if not self._options.account:
            self._has_queue = queue_copy.restore(self._config, self._files)
        total = sum(number or 0 for number in counts.values())
        with Progress(total, not self._options.json) as progress:
            for name, where in names.items():
                self._try(name, os.fsencode(where), progress)
        return self._answer([*names], made)

    def _try(self, name: str, folder: bytes, progress: Progress) -> None:
        """Restore one account; what fails is named at the end, and the others come."""
        try:
            with accounts.opened(self._config, name) as tree:
                self._account(tree, name, folder, progress)
        except (CommandError, MailError) as error:
            self._skipped.add(name, error)
        except OSError as error:
            if not is_of_one_file(error):
                raise
            self._skipped.add(name, error)

    def _own(self, name: str, names: Container[str]) -> str:
        """Return what the account is called here, unless the backup has that one as well."""
        if not self._config.accounts_file.exists():
            return name  # the directory is restored as it was
        own = accounts.name_of(self._config, name)
        return name if own in names else own

    def _looked_at(self, name: str, where: str) -> int | None:
        """Look at an account; return None for one whose list cannot be used, which is named."""
        try:
            return self._look(name, where)
        except (CommandError, OSError) as error:
            self._skipped.add(name, error)
            return None

    def _look(self, name: str, where: str) -> int:
        """Count the messages of an account; record the mailboxes that may not be overwritten."""
        total = 0
        has_mail = not self._options.replace and accounts.has_mail(self._config, name)
        with accounts.opened(self._config, name) as tree:
            for box in manifest.mailboxes(self._files, os.fsencode(where)):
                total += len(box.lines)
                if has_mail and not is_free(tree, box.name, box.uids):
                    self._taken.append(f"{name}: {box.name} has mail that is not in the backup")
        had = self._counts.get(where, total)
        if had != total:
            self._skipped.add(name, f"the backup was of {had} messages, and its list has {total}")
        return total

    # ------------------------------------------------------------ one account

    def _account(self, tree: Tree, name: str, folder: bytes, progress: Progress) -> None:
        uses = self._uses(name, folder)
        for box in manifest.mailboxes(self._files, folder):
            progress.place = box.name
            if why := manifest.name_fault(box):
                self._skipped.add(box.name, why)
            else:
                self._mailbox(tree, box, uses.get(os.fsencode(box.folder.name), ""), progress)
        self._subscribe(tree, name, folder)

    def _uses(self, name: str, folder: bytes) -> dict[bytes, str]:
        """Return the special uses that mailboxes can have; the others are named."""
        try:
            found = manifest.uses(self._files, folder)
        except (BadItem, OSError) as error:
            self._skipped.add(f"{name}: special uses", reason_of(error))
            return {}
        for coded, use in found.items():
            try:
                mailbox_names.use(use)
            except Refused as refused:
                self._skipped.add(f"{name}: special use {use}", refused.outcome.text)
                found[coded] = ""
        return found

    def _subscribe(self, tree: Tree, name: str, folder: bytes) -> None:
        try:
            subscribed = manifest.subscribed(self._files, folder)
        except (BadItem, OSError) as error:
            self._skipped.add(f"{name}: subscriptions", reason_of(error))
            return
        for mailbox in subscribed:
            try:
                perform(tree, subscribe, mailbox, True)
            except Refused as refused:
                self._skipped.add(f"{name}: subscription to {mailbox}", refused.outcome.text)

    def _mailbox(
        self, tree: Tree, box: manifest.SavedMailbox, use: str, progress: Progress
    ) -> None:
        uids = dict(box.uids)
        for file in box.repeated:
            self._skipped.add(f"{box.folder}/cur/{file}", "the list has another line about it")
        if perform(tree, restored_mailboxes.is_restored, box):
            self._already += len(uids)
            progress.step(len(uids))
            return
        if not perform_steps(tree, is_free, box.name, uids):
            self._aside += perform_steps(
                tree, restored_mailboxes.move_aside, box.name, f"{self._set_aside}/{box.name}"
            )
        stage = ImportStaging(tree, box.name)
        there = {*stage.files(), *restored_mailboxes.present(tree, box.name)}
        for line in box.lines:
            progress.step()
            base = manifest.base_of(line)
            if base not in there and not self._put(stage, box, line, base):
                uids.pop(base, None)
        numbers = MailboxNumbers(box.uidvalidity, box.uidnext, uids, box.guid)
        if not perform_steps(tree, publish_staged, stage, numbers, use):
            self._skipped.add(box.name, "mail arrived there meanwhile: --replace moves it aside")
            return
        perform(tree, restored_mailboxes.mark_again, box)
        self._restored += len(uids)

    def _put(
        self, stage: ImportStaging, box: manifest.SavedMailbox, line: dict[str, Any], base: bytes
    ) -> bool:
        path = box.folder / "cur" / line["file"]
        try:
            pieces = list(manifest.checked(self._files, os.fsencode(path), line))
        except (BadItem, OSError) as error:
            self._skipped.add(str(self._snapshot / path), reason_of(error))
            return False
        with stage.faults.converted(stage.path):
            stage.put(base, flag.normal(line["flags"]), pieces, float(line["date"]))
        return True

    # ------------------------------------------------------------ the end

    def _answer(self, names: list[str], made: list[str]) -> CommandResult:
        sums = f"{count(len(names), 'account')}, {count(self._restored, 'message')} restored"
        lines = [f"from {self._snapshot}: {sums}"]
        if self._already:
            lines.append(f"{count(self._already, 'message')} were there already")
        if self._aside:
            lines.append(f"{count(self._aside, 'message')} moved into {self._set_aside}")
        if made:
            lines.append(f"back in the directory: {', '.join(made)}")
        if self._has_queue:
            lines.append("the queue is back: what was sent on since the backup goes out once more")
        data = {
            "backup": str(self._snapshot),
            "accounts": names,
            "made": made,
            "queue": self._has_queue,
            "restored": self._restored,
            "already": self._already,
            "set_aside": self._aside,
            "skipped": self._skipped.data(),
        }
        lines += self._skipped.lines()
        return CommandResult(data, lines, FAILED if self._skipped.items else FINE)
