"""Copying files so that they are whole and on disk when they have their names."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted_mail.control.store.skipped import BadItem

_PIECE = 1024 * 1024


def copy(source: int, target: str | Path, size: int, seconds: float) -> str:
    """Copy an open file to a path, by way of another name; return the SHA-256 of its octets.

    Raises Bad when it has another size than it should, OSError.
    """
    beside = f"{target}.part"
    digest = hashlib.sha256()
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        try:
            total = 0
            for piece in pieces(source):
                digest.update(piece)
                total += len(piece)
                _write(fd, piece)
            if total != size:
                raise BadItem(f"it has {total} octets and should have {size}")
            with suppress(OSError, OverflowError):
                os.utime(fd, (seconds, seconds))
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(beside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    return digest.hexdigest()


def pieces(source: int) -> Iterator[bytes]:
    """Yield the octets of an open file."""
    at = 0
    while piece := os.pread(source, _PIECE, at):
        at += len(piece)
        yield piece


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def replace(path: Path, data: bytes) -> None:
    """Put new contents in the place of a file, durably."""
    beside = path.with_name(path.name + ".new")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        _write(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)
    beside.rename(path)
    sync_folder(path.parent)


def replace_json(path: Path, data: dict[str, Any]) -> None:
    """Write a file of JSON, durably."""
    replace(path, json.dumps(data, ensure_ascii=True).encode() + b"\n")


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_tree(path: Path) -> None:
    """Wait until all names in a folder and below are on disk."""
    for folder, _, _ in os.walk(path, topdown=False):
        sync_folder(Path(folder))


def make(path: Path) -> None:
    """Make a folder, and those above it, for its owner alone."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
