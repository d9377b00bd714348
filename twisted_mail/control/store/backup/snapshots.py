"""Backups on disk: a folder for each time, with hard links to what the one before has.

    DIR/2026-11-23T090800Z/
        manifest.json                  written last, before the folder got its name
        accounts.sqlite3               domains, accounts, aliases
        mail/<domain>/<local part>/    as in the server's own folder:
            Maildir/ ...               files, lists of UIDs, keywords, subscriptions
            special-use  uidvalidity
            messages.jsonl             a line for each mailbox and message, with its SHA-256
    DIR/.unfinished/                   the backup that is being made

A folder with a time as its name is whole. It can be read by any program that reads maildirs, removed at
any time, and copied anywhere; a message takes space once, however many backups have it.
"""

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twisted_mail.control.output import CommandError
from twisted_mail.control.store.backup import copying

MANIFEST = "manifest.json"
MESSAGES = "messages.jsonl"
UNFINISHED = ".unfinished"
FORMAT = 1
_NAME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}Z(?:-[0-9]+)?")


def finished(folder: Path) -> list[Path]:
    """Return the whole backups in a folder, the oldest first."""
    if not folder.is_dir():
        return []
    named = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
    return sorted(path for path in named if (path / MANIFEST).is_file())


def new_name(folder: Path, now: float) -> str:
    """Return the name for a backup made now."""
    name = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H%M%SZ}"
    tries = [name, *(f"{name}-{number}" for number in range(2, 1000))]
    return next(each for each in tries if not (folder / each).exists())


def manifest(path: Path) -> dict[str, Any]:
    """Read the manifest of a backup. Raises CommandError."""
    try:
        found = json.loads((path / MANIFEST).read_bytes())
        if found["format"] != FORMAT:
            raise CommandError(f"{path} was made by a later version of this program")
        list(found["accounts"])
    except FileNotFoundError:
        raise CommandError(f"{path} is no finished backup") from None
    except (ValueError, KeyError, TypeError):
        raise CommandError(f"{path / MANIFEST} is damaged") from None
    return dict(found)


def lines(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines about one account's messages. Raises CommandError."""
    path = folder / MESSAGES
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                found = json.loads(line)
            except ValueError:
                raise CommandError(f"{path}:{number} is damaged") from None
            yield found


def write_lines(folder: Path, found: Iterator[dict[str, Any]]) -> None:
    """Write the lines about one account's messages, durably."""
    data = b"".join(json.dumps(line, ensure_ascii=True).encode() + b"\n" for line in found)
    copying.replace(folder / MESSAGES, data)


def text_of(name: bytes) -> str:
    """Return a file's name as text for JSON; ``os.fsencode`` reverses it."""
    return os.fsdecode(name)


def wanted(folder: Path, name: str | None) -> Path:
    """Return the backup of a name, else the last, or the folder if it is one. Raises CommandError."""
    if name is not None:
        return folder / name
    if (folder / MANIFEST).is_file():
        return folder
    found = finished(folder)
    if not found:
        raise CommandError(f"there is no finished backup in {folder}")
    return found[-1]
