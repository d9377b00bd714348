"""``store backup``: all mail and accounts, while the server runs."""

import argparse
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted_mail import __version__
from twisted_mail.config import Config
from twisted_mail.control.output import FAILED, FINE, CommandError, CommandResult, count
from twisted_mail.control.store import accounts
from twisted_mail.control.store.backup import copying, directory_copy, queue_copy, snapshots
from twisted_mail.control.store.backup.account_backup import AccountBackup
from twisted_mail.control.store.progress import GO_ON, Progress
from twisted_mail.control.store.skipped import SkippedItems
from twisted_mail.mail.outcome import MailError
from twisted_mail.store.disk.faults import is_of_one_file


def back_up(options: argparse.Namespace, config: Config) -> CommandResult:
    """Make a backup; files that the last one has are linked, not copied."""
    folder = Path(os.path.abspath(options.folder))
    if folder.is_relative_to(config.state) or config.state.is_relative_to(folder):
        raise CommandError(f"{folder} and the state folder {config.state} lie within each other")
    work = Backup(config, folder, options)
    try:
        return work.run()
    except KeyboardInterrupt:
        raise CommandError(f"interrupted, no backup was made; {GO_ON}") from None


class Backup:
    """One run of ``store backup``."""

    def __init__(self, config: Config, folder: Path, options: argparse.Namespace) -> None:
        self._config = config
        self._folder = folder
        self._options = options
        self._build = folder / snapshots.UNFINISHED
        self._skipped = SkippedItems()

    def run(self) -> CommandResult:
        """Make the whole backup. Raises CommandError, MailError, OSError."""
        names = accounts.chosen(self._config, self._options.account)
        before = snapshots.finished(self._folder)
        copying.make(self._build / "mail")
        self._leave_only(names)
        with Progress(0, not self._options.json) as progress:
            tried = [self._try(name, before[-1:], progress) for name in names]
        done = [found for found in tried if found is not None]
        unreadable = [] if self._options.account else accounts.unreadable_folders(self._config)
        for folder, why in unreadable:
            self._skipped.add(folder, why)
        if names and not done:
            raise CommandError(
                "no account could be copied, no backup was made", details=self._skipped.lines()
            )
        directory_copy.save(self._config.accounts_file, self._build)
        if not self._options.account:
            queue_copy.save(self._config, self._build)
        path = self._publish(done)
        is_whole = len(done) == len(names) and not unreadable
        removed = self._remove_old() if is_whole else []
        return self._answer(path, done, removed)

    def _where(self, account: str) -> Path:
        return Path(os.fsdecode(accounts.path(self._config, account))).relative_to(
            self._config.state
        )

    def _leave_only(self, names: Sequence[str]) -> None:
        """Remove accounts from an unfinished backup that are not backed up now."""
        wanted = {self._build / self._where(name) for name in names}
        for domain in (self._build / "mail").iterdir():
            for local in domain.iterdir():
                if local not in wanted:
                    shutil.rmtree(local)

    def _try(self, name: str, before: list[Path], progress: Progress) -> dict[str, Any] | None:
        """Back up one account; return None for one that cannot be, which is named at the end."""
        try:
            return self._account(name, before, progress)
        except MailError as error:
            self._skipped.add(name, error)
        except OSError as error:
            if not is_of_one_file(error):
                raise
            self._skipped.add(name, error)
        shutil.rmtree(self._build / self._where(name), ignore_errors=True)
        return None

    def _account(self, name: str, before: list[Path], progress: Progress) -> dict[str, Any]:
        progress.place = name
        where = self._where(name)
        earlier = before[0] / where if before else None
        with accounts.opened(self._config, name) as tree:
            one = AccountBackup(tree, self._build / where, earlier, self._skipped, name)
            found = one.run(progress)
        return {"account": name, "folder": str(where), **found}

    def _publish(self, done: list[dict[str, Any]]) -> Path:
        """Finish the backup: its files are on disk before its manifest, and that before its name."""
        copying.sync_tree(self._build)
        now = time.time()
        about = {
            "format": snapshots.FORMAT,
            "made": int(now),
            "by": f"twisted-mail {__version__}",
            "hostname": self._config.hostname,
            "accounts": done,
            "skipped": self._skipped.data(),
        }
        copying.replace_json(self._build / snapshots.MANIFEST, about)
        path = self._folder / snapshots.new_name(self._folder, now)
        self._build.rename(path)
        copying.sync_folder(self._folder)
        return path

    def _remove_old(self) -> list[str]:
        if self._options.keep is None:
            return []
        old = snapshots.finished(self._folder)[: -max(1, self._options.keep)]
        for path in old:
            (path / snapshots.MANIFEST).unlink()  # from now on it is no backup
            shutil.rmtree(path)
        return [path.name for path in old]

    def _answer(self, path: Path, done: list[dict[str, Any]], removed: list[str]) -> CommandResult:
        messages = sum(each["messages"] for each in done)
        copied = sum(each["copied"] for each in done)
        lines = [
            f"{path} is a backup of {count(len(done), 'account')}, {count(messages, 'message')}",
            f"{copied} were copied, {messages - copied} were in the last backup already",
            *(f"{name} is removed" for name in removed),
            *self._skipped.lines(),
        ]
        data = {
            "backup": str(path),
            "messages": messages,
            "copied": copied,
            "accounts": done,
            "removed": removed,
            "skipped": self._skipped.data(),
        }
        return CommandResult(data, lines, FAILED if self._skipped.items else FINE)


def listing(options: argparse.Namespace, config: Config) -> CommandResult:
    """List the backups in a folder."""
    del config
    found = snapshots.finished(Path(options.folder))
    about = [(path, snapshots.manifest(path)) for path in found]
    lines = [f"{path.name}: {', '.join(_accounts(each))}" for path, each in about]
    data = [{"backup": str(path), "accounts": list(_accounts(each))} for path, each in about]
    return CommandResult({"backups": data}, lines or ["there are no backups"])


def _accounts(about: dict[str, Any]) -> Iterator[str]:
    with suppress(KeyError, TypeError):
        for each in about["accounts"]:
            yield f"{each['account']} ({each['messages']})"
