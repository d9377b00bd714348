"""Copying files so that they are whole and on disk when they have their names."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted_mail.control.store.skipped import BadItem
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import replace_file

_PIECE = 1024 * 1024
_DISK = Disk()


def copy(source: int, target: str | Path, size: int, seconds: float) -> str:
    """Copy an open file to a path, first under another name; return the SHA-256 of its octets.

    Raises BadItem when it has not the expected size, and OSError.
    """
    part = f"{target}.part"
    digest = hashlib.sha256()
    fd = _DISK.overwrite(os.fsencode(part))
    try:
        try:
            total = 0
            for piece in pieces(source):
                digest.update(piece)
                total += len(piece)
                _DISK.write(fd, piece)
            if total != size:
                raise BadItem(f"it has {total} octets and should have {size}")
            with suppress(OSError, OverflowError):
                os.utime(fd, (seconds, seconds))
            _DISK.sync_file(fd)
        finally:
            _DISK.close(fd)
        os.rename(part, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise
    return digest.hexdigest()


def pieces(source: int) -> Iterator[bytes]:
    """Yield the octets of an open file."""
    at = 0
    while piece := os.pread(source, _PIECE, at):
        at += len(piece)
        yield piece


def replace(path: Path, data: bytes) -> None:
    """Replace a file's contents, durably."""
    replace_file(_DISK, os.fsencode(path), data)


def replace_json(path: Path, data: dict[str, Any]) -> None:
    """Write a file of JSON, durably."""
    replace(path, json.dumps(data, ensure_ascii=True).encode() + b"\n")


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on disk."""
    _DISK.sync_folder(os.fsencode(path))


def sync_tree(path: Path) -> None:
    """Wait until all names in a folder and below are on disk."""
    for folder, _, _ in os.walk(path, topdown=False):
        sync_folder(Path(folder))


def make(path: Path) -> None:
    """Make a folder, and those above it, for its owner alone."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
