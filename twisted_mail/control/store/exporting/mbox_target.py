"""Mbox files as a target: one for each mailbox, in folders by level; mboxrd."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted_mail.control.output import CommandError
from twisted_mail.control.store import mbox
from twisted_mail.control.store.backup import copying
from twisted_mail.control.store.importing.source import MAX_MESSAGE
from twisted_mail.control.store.skipped import BadItem, SkippedItems, reason_of
from twisted_mail.store.index.rows import Row
from twisted_mail.store.repair.snapshot import MailboxSnapshot, opened
from twisted_mail.store.tree.tree import Tree

NOTES = "export.journal"  # next to the files: how far each of them is complete
_TOGETHER = 4 * 1024 * 1024  # octets written between two notes


class MboxTarget:
    """Fulfils ``exporter.ExportTarget``.

    The notes record for each file up to which octet and UID it is complete: what follows was being
    written when a run was stopped, and is cut off by the next.
    """

    def __init__(self, path: Path, tree: Tree, skipped: SkippedItems) -> None:
        self._path = path
        self._tree = tree
        self._skipped = skipped
        self._notes: dict[str, dict[str, Any]] = self._read_notes()

    def _read_notes(self) -> dict[str, dict[str, Any]]:
        try:
            found = json.loads((self._path / NOTES).read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError:
            raise CommandError(f"{NOTES} cannot be read: choose another folder") from None
        if not isinstance(found, dict) or not all(map(_is_note, found.values())):
            raise CommandError(f"{NOTES} is not as it was written: choose another folder")
        return found

    def _note(self, moment: MailboxSnapshot) -> dict[str, Any]:
        note = self._notes.get(moment.name)
        if note is None or note["uidvalidity"] != moment.uidvalidity:
            note = {"uidvalidity": moment.uidvalidity, "uid": 0, "size": 0, "file": ""}
            note["file"] = self._free(moment.name)
        return note

    def _free(self, mailbox: str) -> str:
        """Return the file of a mailbox, below the folder; each has its own."""
        levels = [level.replace("\0", "_") for level in mailbox.split("/")]
        levels = ["_" + level[1:] if level.startswith(".") else level for level in levels]
        name = "/".join(levels)
        taken = {note["file"] for note in self._notes.values()}
        tries = (f"{name}{f'-{n}' if n else ''}.mbox" for n in range(len(taken) + 1000))
        return next(
            each for each in tries if each not in taken and not (self._path / each).exists()
        )

    def already(self, moment: MailboxSnapshot) -> int:
        """Return how many messages the target has."""
        last = self._note(moment)["uid"]
        return sum(row.uid <= last for row in moment.rows)

    def take(self, moment: MailboxSnapshot, step: Callable[[int], object]) -> int:
        """Append new messages to the mailbox's file."""
        note = self._note(moment)
        path = self._path / note["file"]
        copying.make(path.parent)
        self._notes[moment.name] = note  # before the file: what is there without a note is not ours
        copying.replace_json(self._path / NOTES, self._notes)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            if os.fstat(fd).st_size < note["size"]:
                raise CommandError(f"{note['file']} is shorter than it was: choose another folder")
            os.ftruncate(fd, note["size"])
            os.lseek(fd, 0, os.SEEK_END)
            return self._write(moment, note, fd, step)
        finally:
            os.close(fd)

    def _write(
        self, moment: MailboxSnapshot, note: dict[str, Any], fd: int, step: Callable[[int], object]
    ) -> int:
        came = held = 0
        for row in moment.rows:
            step(1)
            if row.uid <= note["uid"]:
                continue
            data = self._read(moment, row)
            if data is not None:
                came += 1
                held += _write(fd, mbox.write(data, row.flags, row.date))
            if held >= _TOGETHER:
                self._keep(moment, note, fd, row.uid)
                held = 0
        last = max((row.uid for row in moment.rows), default=0)
        self._keep(moment, note, fd, max(last, note["uid"]))
        return came

    def _keep(self, moment: MailboxSnapshot, note: dict[str, Any], fd: int, uid: int) -> None:
        os.fsync(fd)
        note["uid"], note["size"] = uid, os.fstat(fd).st_size
        self._notes[moment.name] = note
        copying.replace_json(self._path / NOTES, self._notes)

    def _read(self, moment: MailboxSnapshot, row: Row) -> bytes | None:
        where = f"{moment.name}, UID {row.uid}"
        try:
            if row.stored > MAX_MESSAGE:
                raise BadItem(f"larger than {MAX_MESSAGE} octets")
            fd = opened(self._tree, moment, row)
            if fd is None:
                return None  # expunged meanwhile
            try:
                return b"".join(copying.pieces(fd))
            finally:
                os.close(fd)
        except (BadItem, OSError) as error:
            self._skipped.add(where, reason_of(error))
            return None

    def end(self, subscribed: set[str]) -> None:
        """Do nothing: mbox files have no subscriptions."""


def _is_note(note: Any) -> bool:
    """Return whether a note is about a file below the target."""
    if not isinstance(note, dict) or not isinstance(note.get("file"), str):
        return False
    has_numbers = all(type(note.get(name)) is int for name in ("uidvalidity", "uid", "size"))
    levels = note["file"].split("/")
    return has_numbers and note["size"] >= 0 and {"", ".", ".."}.isdisjoint(levels)


def _write(fd: int, data: bytes) -> int:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    return len(data)
