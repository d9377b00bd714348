"""The manifest of one account in a backup, read with care: it may be old, damaged or forged."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from twisted_mail.control.output import CommandError
from twisted_mail.control.store.backup import snapshots
from twisted_mail.control.store.skipped import BadItem
from twisted_mail.store.format import filename


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


def mailboxes(account: Path) -> Iterator[SavedMailbox]:
    """Yield the mailboxes of an account's folder in a backup. Raises CommandError."""
    box: SavedMailbox | None = None
    for line in snapshots.lines(account):
        try:
            if "mailbox" in line:
                if box is not None:
                    yield box
                folder = account / "Maildir" / str(line["folder"])
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


def _check_line(line: dict[str, Any]) -> None:
    int(line["uid"]), int(line["size"]), float(line["date"]), list(line["flags"])
    if "/" in line["file"] or not line["sha256"]:
        raise ValueError


def uses(account: Path) -> dict[bytes, str]:
    """Return special uses by the folders of mailboxes."""
    path = account / "special-use"
    if not path.exists():
        return {}
    words = [line.partition(b" ") for line in path.read_bytes().split(b"\n") if line]
    return {folder: use.decode("ascii", "replace") for use, _, folder in words}


def checked(path: Path, line: dict[str, Any]) -> Iterator[bytes]:
    """Yield the octets of a message's file. Raises BadItem at the end if they have changed."""
    size, digest = 0, sha256()
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            size += len(piece)
            digest.update(piece)
            yield piece
    if size != line["size"]:
        raise BadItem(f"it has {size} octets in the backup and should have {line['size']}")
    if digest.hexdigest() != line["sha256"]:
        raise BadItem("it was altered in the backup")
