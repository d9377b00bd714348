"""A Maildir as a target: Maildir++ with UIDs, flags, keywords, dates and subscriptions."""

import os
from collections.abc import Callable
from pathlib import Path

from twisted_mail.control.store.backup import copying
from twisted_mail.control.store.skipped import BadItem, SkippedItems
from twisted_mail.store.format import filename, keywords, subscriptions, uidlist
from twisted_mail.store.index.rows import Row
from twisted_mail.store.repair.snapshot import MailboxSnapshot, opened
from twisted_mail.store.tree.tree import Tree


class MaildirTarget:
    """Fulfils ``exporter.ExportTarget``. Files keep their names, so each is exported once."""

    def __init__(self, path: Path, tree: Tree, skipped: SkippedItems) -> None:
        self._path = path
        self._tree = tree
        self._skipped = skipped

    def _folder(self, moment: MailboxSnapshot) -> Path:
        return self._path / os.fsdecode(moment.folder) if moment.folder else self._path

    def _present(self, moment: MailboxSnapshot) -> dict[bytes, Path]:
        """Return the files of the target, by base names."""
        found = {}
        for place in ("new", "cur"):
            folder = self._folder(moment) / place
            if folder.is_dir():
                for file in folder.iterdir():
                    found[filename.split(os.fsencode(file.name))[0]] = file
        return found

    def already(self, moment: MailboxSnapshot) -> int:
        """Return how many messages the target has."""
        present = self._present(moment)
        return sum(row.base in present for row in moment.rows)

    def take(self, moment: MailboxSnapshot, step: Callable[[int], object]) -> int:
        """Copy messages that the target lacks, and update the flags of the others."""
        folder = self._folder(moment)
        for place in ("tmp", "new", "cur"):
            copying.make(folder / place)
        if moment.folder:
            (folder / "maildirfolder").touch(0o600)
        present = self._present(moment)
        came = 0
        hidden = sum(map(moment.has_hidden_keywords, moment.rows))
        if hidden:
            text = f"{hidden} messages have keywords beyond the 26 that a Maildir can have"
            self._skipped.add(moment.name, text)
        for row in moment.rows:
            path = folder / "cur" / os.fsdecode(moment.file_name(row))
            there = present.get(row.base)
            if there is None:
                came += self._copy(moment, row, path)
            elif there != path:
                there.rename(path)
            step(1)
        self._write_lists(moment, folder)
        copying.sync_folder(folder / "cur")
        return came

    def _copy(self, moment: MailboxSnapshot, row: Row, path: Path) -> bool:
        where = f"{moment.name}, UID {row.uid}"
        try:
            fd = opened(self._tree, moment, row)
            if fd is None:
                return False  # expunged meanwhile
            try:
                written = path.parent.parent / "tmp" / os.fsdecode(row.base)
                copying.copy(fd, written, row.stored, row.date)
            finally:
                os.close(fd)
        except BadItem as bad:
            self._skipped.add(where, bad)
            return False
        written.rename(path)
        return True

    def _write_lists(self, moment: MailboxSnapshot, folder: Path) -> None:
        path = folder / os.fsdecode(uidlist.FILE)
        listed = moment.uid_list()
        if path.exists():
            found = uidlist.parse(path.read_bytes())
            if found is None or found.uidvalidity != moment.uidvalidity:
                self._skipped.add(
                    moment.name, f"{path.name} is of another mailbox: UIDs not written"
                )
                return
            listed.records = found.records | listed.records
        copying.replace(path, uidlist.write(listed))
        if moment.by_letter:
            letters = folder / os.fsdecode(keywords.FILE)
            copying.replace(letters, keywords.write(moment.by_letter))

    def end(self, subscribed: set[str]) -> None:
        """Write the subscriptions."""
        names = {name for name in subscribed if subscriptions.is_writable(name)}
        copying.replace(self._path / os.fsdecode(subscriptions.FILE), subscriptions.write(names))
