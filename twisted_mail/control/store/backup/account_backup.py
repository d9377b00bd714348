"""The backup of one account: as it was at one moment, though it changes meanwhile."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from twisted_mail.control.output import CommandError
from twisted_mail.control.store.backup import copying, snapshots
from twisted_mail.control.store.progress import Progress
from twisted_mail.control.store.skipped import BadItem, SkippedItems, reason_of
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.disk.faults import is_of_one_file
from twisted_mail.store.format import filename, keywords, subscriptions, uidlist
from twisted_mail.store.index.rows import Row
from twisted_mail.store.repair.snapshot import (
    MailboxSnapshot,
    mailbox_snapshots,
    mailboxes_held,
    opened,
    opened_there,
    unread,
)
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.work.perform import perform_steps

_PASSES = 5
_PLACES = ("tmp", "new", "cur")


class _SavedFile(NamedTuple):
    """A file that a backup has; ``sha256`` is empty when it has to be read again."""

    path: Path
    size: int
    date: int
    sha256: str


class AccountBackup:
    """Copies one account.

    All mailboxes are read at one moment; then the files are copied or linked. If one is gone by then,
    expunged or moved, there is another pass with a later moment, for which most files are there
    already. So the manifest is of the last moment, and a message that was moved meanwhile is in one of
    its two mailboxes. In the last pass all that use the account wait; by then little is left to copy.
    """

    def __init__(
        self, tree: Tree, path: Path, earlier: Path | None, skipped: SkippedItems, name: str
    ) -> None:
        self._tree = tree
        self._path = path
        self._maildir = path / "Maildir"
        self._skipped = skipped
        self._name = name
        self._held = _held(earlier) if earlier else {}
        self._digests: dict[bytes, str] = {}
        self._copied: set[bytes] = set()
        self._bad: dict[bytes, str] = {}
        self._open: Callable[[Tree, MailboxSnapshot, Row], int | None] = opened

    def run(self, progress: Progress) -> dict[str, Any]:
        """Make the backup; return its part of the manifest."""
        found = self._copied_all(progress)
        wanted = {path: row for moment in found for path, row in self._wanted(moment)}
        self._remove_others({path for path, row in wanted.items() if row.base not in self._bad})
        self._finish(found)
        self._note_skipped(found)
        rows = [row for moment in found for row in moment.rows if row.base not in self._bad]
        return {
            "mailboxes": len(found),
            "messages": len(rows),
            "octets": sum(row.stored for row in rows),
            "copied": len(self._copied & {row.base for row in rows}),
        }

    def _copied_all(self, progress: Progress) -> list[MailboxSnapshot]:
        """Have all files of one moment in the backup; return the mailboxes of that moment."""
        for _ in range(_PASSES):
            found = perform_steps(self._tree, mailbox_snapshots)
            if self._have_all(found, progress):
                return found
        self._open = opened_there
        locked = perform_steps(
            self._tree, mailboxes_held, partial(self._have_all, progress=progress)
        )
        if locked is None:
            raise Unavailable("other programs move its messages too fast for them to be copied now")
        return locked

    def _have_all(self, found: list[MailboxSnapshot], progress: Progress) -> bool:
        """Have files in the backup; return whether none was gone from the maildir."""
        self._held |= _held(self._path)
        progress.total += sum(len(moment.rows) for moment in found)
        places = [(moment, path, row) for moment in found for path, row in self._wanted(moment)]
        gone = [row for moment, path, row in places if not self._has(moment, row, path, progress)]
        return not gone

    def _note_skipped(self, found: list[MailboxSnapshot]) -> None:
        """Name what the backup lacks: messages, and mailboxes whose folders cannot be used."""
        for base, why in self._bad.items():
            self._skipped.add(f"{self._name}: {os.fsdecode(base)}", why)
        for where, why in unread(self._tree, found):
            self._skipped.add(f"{self._name}: {where}", why)

    # ------------------------------------------------------------ files

    def _folder(self, moment: MailboxSnapshot) -> Path:
        return self._maildir / os.fsdecode(moment.folder) if moment.folder else self._maildir

    def _wanted(self, moment: MailboxSnapshot) -> Iterator[tuple[Path, Row]]:
        folder = self._folder(moment) / "cur"
        for row in moment.rows:
            yield folder / os.fsdecode(moment.file_name(row)), row

    def _has(self, moment: MailboxSnapshot, row: Row, path: Path, progress: Progress) -> bool:
        """Make sure that a file is in the backup; return False when it is gone from the maildir."""
        progress.step()
        if row.base in self._bad:
            return True
        held = self._held.get(row.base)
        if held is not None and (held.size, held.date) == (row.stored, row.date):
            if held.path != path:
                self._link(held.path, path)
            self._digests.setdefault(row.base, held.sha256)
            return True
        try:
            return self._copy(moment, row, path)
        except BadItem as bad:
            self._bad[row.base] = str(bad)
        except OSError as error:
            if not is_of_one_file(error):
                raise
            self._bad[row.base] = reason_of(error)
        return True

    def _link(self, old: Path, path: Path) -> None:
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        os.link(old, path)

    def _copy(self, moment: MailboxSnapshot, row: Row, path: Path) -> bool:
        fd = self._open(self._tree, moment, row)
        if fd is None:
            return False
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        try:
            digest = copying.copy(fd, path, row.stored, row.date)
        finally:
            os.close(fd)
        self._digests[row.base] = digest
        self._copied.add(row.base)
        return True

    def _remove_others(self, wanted: set[Path]) -> None:
        """Remove files of an earlier pass or run that are not of this moment."""
        for folder, _, names in os.walk(self._maildir):
            for name in names:
                path = Path(folder, name)
                if path not in wanted:
                    path.unlink()
        for folder, _, _ in os.walk(self._maildir, topdown=False):
            if not os.listdir(folder):
                os.rmdir(folder)

    # ------------------------------------------------------------ lists

    def _finish(self, found: list[MailboxSnapshot]) -> None:
        for moment in found:
            folder = self._folder(moment)
            for place in _PLACES:
                copying.make(folder / place)
            if moment.folder:
                (folder / "maildirfolder").touch(0o600)
            copying.replace(folder / os.fsdecode(uidlist.FILE), uidlist.write(moment.uid_list()))
            if moment.by_letter:
                letters = folder / os.fsdecode(keywords.FILE)
                copying.replace(letters, keywords.write(moment.by_letter))
        self._copy_small(found)
        snapshots.write_lines(self._path, self._lines(found))

    def _copy_small(self, found: list[MailboxSnapshot]) -> None:
        account = Path(os.fsdecode(self._tree.path))
        listed = os.fsdecode(subscriptions.FILE)
        for source, target in (
            (account / "Maildir" / listed, self._maildir / listed),
            (account / "special-use", self._path / "special-use"),
        ):
            try:
                copying.replace(target, source.read_bytes())
            except FileNotFoundError:
                continue
            except OSError as error:
                if not is_of_one_file(error):
                    raise
                self._skipped.add(f"{self._name}: {source.name}", reason_of(error))
        highest = max((moment.uidvalidity for moment in found), default=0)
        copying.replace(self._path / "uidvalidity", b"%d\n" % highest)

    def _lines(self, found: list[MailboxSnapshot]) -> Iterator[dict[str, Any]]:
        for moment in found:
            yield {
                "mailbox": moment.name,
                "folder": snapshots.text_of(moment.folder),
                "guid": moment.guid.decode("ascii"),
                "uidvalidity": moment.uidvalidity,
                "uidnext": moment.uidnext,
            }
            for path, row in self._wanted(moment):
                if row.base not in self._bad:
                    yield self._line(path, row)

    def _line(self, path: Path, row: Row) -> dict[str, Any]:
        return {
            "uid": row.uid,
            "file": path.name,
            "flags": sorted(row.flags),
            "date": row.date,
            "size": row.stored,
            "sha256": self._digests.get(row.base) or digest(path),
        }


def _held(account: Path) -> dict[bytes, _SavedFile]:
    """Return the files that a backup of an account has, by base names."""
    try:
        digests = _digests(account)
    except (CommandError, KeyError, TypeError, ValueError):
        return {}  # the list is damaged: all files are copied again
    found = {}
    for path in _files(account / "Maildir"):
        base = filename.split(os.fsencode(path.name))[0]
        about = path.stat()
        date = about.st_mtime_ns // 1_000_000_000
        found[base] = _SavedFile(path, about.st_size, date, digests.get(base, ""))
    return found


def _digests(account: Path) -> dict[bytes, str]:
    if not account.is_dir():
        return {}
    with closing(snapshots.opened(account)) as files:
        return {
            filename.split(os.fsencode(line["file"]))[0]: str(line["sha256"])
            for line in snapshots.lines(files)
            if "sha256" in line
        }


def _files(maildir: Path) -> Iterable[Path]:
    for folder, _, names in os.walk(maildir):
        if os.path.basename(folder) == "cur":
            for name in names:
                if not name.endswith(".part"):
                    yield Path(folder, name)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    found = sha256()
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            found.update(piece)
    return found.hexdigest()
