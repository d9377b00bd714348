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
from itertools import count
from pathlib import Path
from typing import Any

from twisted_mail.control.output import CommandError
from twisted_mail.control.store.backup import copying
from twisted_mail.control.store.importing.source_files import SourceFiles
from twisted_mail.control.store.skipped import BadItem

MANIFEST = "manifest.json"
MESSAGES = "messages.jsonl"
UNFINISHED = ".unfinished"
FORMAT = 1
MAX_MANIFEST = 256 * 1024 * 1024  # octets
MAX_LINE = 1024 * 1024  # octets, of one message's line
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


def opened(path: Path) -> SourceFiles:
    """Open a backup; nothing in it is read through a link. Raises CommandError."""
    if not path.is_dir():
        raise CommandError(f"{path} is no finished backup")
    return SourceFiles(os.fsencode(path), is_of_one_owner=False)


def manifest(path: Path) -> dict[str, Any]:
    """Read the manifest of a backup. Raises CommandError."""
    files = opened(path)
    try:
        found = json.loads(files.whole(os.fsencode(MANIFEST), MAX_MANIFEST))
        if found["format"] != FORMAT:
            raise CommandError(f"{path} was made by a later version of this program")
        list(found["accounts"])
    except FileNotFoundError:
        raise CommandError(f"{path} is no finished backup") from None
    except BadItem as bad:
        raise CommandError(f"{path / MANIFEST}: {bad}") from None
    except (ValueError, KeyError, TypeError):
        raise CommandError(f"{path / MANIFEST} is damaged") from None
    finally:
        files.close()
    return dict(found)


def lines(files: SourceFiles, folder: bytes = b"") -> Iterator[dict[str, Any]]:
    """Yield the lines about one account's messages; none where there is no list.

    Raises CommandError where it is damaged or a link, and OSError.
    """
    path = os.path.join(folder, os.fsencode(MESSAGES))
    try:
        file = files.open(path)
    except FileNotFoundError:
        return
    except BadItem as bad:
        raise CommandError(f"{files.shown(path)}: {bad}") from None
    with file:
        for number in count(1):
            line = file.readline(MAX_LINE)
            if not line:
                return
            try:
                found = json.loads(line)
            except ValueError:
                raise CommandError(f"{files.shown(path)}:{number} is damaged") from None
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
