"""The manifest of one account in a backup, read with care: it may be old, damaged or forged."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
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
_SMALL = 64 * 1024 * 1024  # octets


@dataclass(slots=True)
class SavedMailbox:
    """One mailbox of a backup, with its lines."""

    name: str
    folder: Path
    guid: bytes
    uidvalidity: int
    uidnext: int
    lines: list[dict[str, Any]] = field(default_factory=list)

    @property
    def uids(self) -> dict[bytes, int]:
        """Return UIDs by base names."""
        return {base_of(line): int(line["uid"]) for line in self.lines}


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


def mailboxes(account: Path) -> Iterator[SavedMailbox]:
    """Yield the mailboxes of an account's folder in a backup. Raises CommandError."""
    box: SavedMailbox | None = None
    for line in snapshots.lines(account):
        try:
            if "mailbox" in line:
                if box is not None:
                    yield box
                folder = account / "Maildir" / _mailbox_folder(line["folder"])
                numbers = int(line["uidvalidity"]), int(line["uidnext"])
                box = SavedMailbox(str(line["mailbox"]), folder, _guid(line), *numbers)
            elif box is not None:
                _check_line(line)
                box.lines.append(line)
        except (KeyError, ValueError, TypeError):
            text = f"{account / snapshots.MESSAGES} is damaged"
            raise CommandError(text) from None
    if box is not None:
        yield box


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
    """Return special uses by the folders of mailboxes."""
    data = small_file(files, os.path.join(account, b"special-use"))
    words = [line.partition(b" ") for line in data.split(b"\n") if line]
    return {folder: use.decode("ascii", "replace") for use, _, folder in words}


def subscribed(files: SourceFiles, account: bytes) -> list[str]:
    """Return the names that the user subscribed to."""
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
    """Return the contents of a file beside the messages; empty where it cannot be read."""
    with suppress(BadItem, OSError):
        return files.read(path, _SMALL) or b""
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
