"""The manifest of one account in a backup, read with care: it may be old, damaged or forged."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from twisted_mail.control.output import CommandError
from twisted_mail.control.store.backup import snapshots
from twisted_mail.control.store.importing.source_files import SourceFiles
from twisted_mail.control.store.skipped import BadItem
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.format import filename, mailbox_names, subscriptions

_ACCOUNT_FOLDER = re.compile(r"mail(?:/(?!\.\.?(?:/|\Z))[^/\0]+){2}")
_LATEST = 2**40  # seconds since 1970
MAX_SMALL_FILE = 64 * 1024 * 1024  # octets


@dataclass(slots=True)
class SavedMailbox:
    """One mailbox of a backup, with its lines; ``folder`` is below the backup."""

    name: str
    folder: Path
    guid: bytes
    uidvalidity: int
    uidnext: int
    lines: list[dict[str, Any]] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)  # files that more than one line is about
    uids: dict[bytes, int] = field(default_factory=dict)  # by base names; 0 where it is taken
    _taken: set[int] = field(default_factory=set)

    def add(self, line: dict[str, Any]) -> None:
        """Add a message, unless there is one of its file already.

        Where another message has its UID it gets a new one: no two may have the same.
        """
        base, uid = base_of(line), int(line["uid"])
        if base in self.uids:
            self.repeated.append(str(line["file"]))
            return
        self.uids[base] = 0 if uid in self._taken else uid
        self._taken.add(uid)
        self.lines.append(line)


def base_of(line: dict[str, Any]) -> bytes:
    """Return the base name of the file that a line is about."""
    return filename.split(os.fsencode(line["file"]))[0]


def account_folders(about: dict[str, Any]) -> dict[str, str]:
    """Return the folders of the accounts in a backup, below it. Raises CommandError."""
    try:
        found = {str(each["account"]): str(each["folder"]) for each in about["accounts"]}
    except (KeyError, TypeError):
        raise CommandError(f"{snapshots.MANIFEST} is damaged") from None
    for name, folder in found.items():
        if not _ACCOUNT_FOLDER.fullmatch(folder):
            raise CommandError(f"{snapshots.MANIFEST} is damaged: {folder} is no folder of {name}")
    return found


def message_counts(about: dict[str, Any]) -> dict[str, int]:
    """Return how many messages the accounts had when they were saved, by their folders."""
    counts = {str(each["folder"]): each.get("messages") for each in about["accounts"]}
    return {folder: number for folder, number in counts.items() if isinstance(number, int)}


def mailboxes(files: SourceFiles, account: bytes) -> Iterator[SavedMailbox]:
    """Yield the mailboxes of an account's folder in a backup. Raises CommandError, OSError."""
    box: SavedMailbox | None = None
    names: set[str] = set()
    for line in snapshots.lines(files, account):
        try:
            if "mailbox" in line:
                if box is not None:
                    yield box
                box = _saved_mailbox(account, line)
                if box.name in names:
                    raise ValueError
                names.add(box.name)
            elif box is not None:
                _check_line(line)
                box.add(line)
        except (KeyError, ValueError, TypeError):
            text = f"{files.shown(account)}/{snapshots.MESSAGES} is damaged"
            raise CommandError(text) from None
    if box is not None:
        yield box


def _saved_mailbox(account: bytes, line: dict[str, Any]) -> SavedMailbox:
    folder = Path(os.fsdecode(account), "Maildir", _mailbox_folder(line["folder"]))
    numbers = int(line["uidvalidity"]), int(line["uidnext"])
    return SavedMailbox(str(line["mailbox"]), folder, _guid(line), *numbers)


def _guid(line: dict[str, Any]) -> bytes:
    guid = str(line["guid"]).encode("ascii")
    if not guid.isalnum() and guid:
        raise ValueError
    return guid


def _mailbox_folder(folder: object) -> str:
    """Return the folder of a mailbox if it is one below the maildir. Raises ValueError."""
    name = str(folder)
    if name and (not name.startswith(".") or name == ".." or not _is_name(name)):
        raise ValueError
    return name


def _is_name(name: object) -> bool:
    """Return whether something is the name of a file, and leads nowhere else."""
    if not isinstance(name, str) or name in ("", ".", ".."):
        return False
    return not {"/", "\0"}.intersection(name) and bool(os.fsencode(name))


def _check_line(line: dict[str, Any]) -> None:
    uid, size, date = int(line["uid"]), int(line["size"]), float(line["date"])
    if not 0 < uid < 2**32 or size < 0 or not abs(date) < _LATEST:
        raise ValueError
    if not _is_name(line["file"]) or not line["sha256"]:
        raise ValueError
    if not all(isinstance(name, str) for name in line["flags"]):
        raise ValueError


def uses(files: SourceFiles, account: bytes) -> dict[bytes, str]:
    """Return special uses by the folders of mailboxes. Raises BadItem, OSError."""
    data = small_file(files, os.path.join(account, b"special-use"))
    words = [line.partition(b" ") for line in data.split(b"\n") if line]
    return {folder: use.decode("ascii", "replace") for use, _, folder in words}


def subscribed(files: SourceFiles, account: bytes) -> list[str]:
    """Return the names that the user subscribed to. Raises BadItem, OSError."""
    path = os.path.join(account, b"Maildir", subscriptions.FILE)
    return sorted(subscriptions.parse(small_file(files, path)))


def name_fault(box: SavedMailbox) -> str:
    """Return why a mailbox cannot have its name; empty if it can."""
    try:
        mailbox_names.new(box.name)
    except Refused as refused:
        return refused.outcome.text
    return ""


def small_file(files: SourceFiles, path: bytes) -> bytes:
    """Return the contents of a file that is no message; empty where there is none.

    Raises BadItem, OSError.
    """
    try:
        return files.whole(path, MAX_SMALL_FILE)
    except FileNotFoundError:
        return b""


def checked(files: SourceFiles, path: bytes, line: dict[str, Any]) -> Iterator[bytes]:
    """Yield the octets of a message's file. Raises BadItem at the end if they have changed."""
    size, digest = 0, sha256()
    with files.open(path) as file:
        while piece := file.read(1024 * 1024):
            size += len(piece)
            digest.update(piece)
            yield piece
    if size != line["size"]:
        raise BadItem(f"it has {size} octets in the backup and should have {line['size']}")
    if digest.hexdigest() != line["sha256"]:
        raise BadItem("it was altered in the backup")
