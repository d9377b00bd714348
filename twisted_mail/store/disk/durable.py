"""Writing files and folders durably."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial

from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.faults import give_name


def exists(disk: Disk, path: bytes) -> bool:
    """Return whether anything has this name."""
    try:
        disk.stat(path)
    except FileNotFoundError:
        return False
    return True


def read_file(disk: Disk, path: bytes, limit: int = 256 * 1024 * 1024) -> bytes | None:
    """Return the contents of a file of ours, or None where there is none."""
    try:
        fd = disk.open(path)
    except FileNotFoundError:
        return None
    try:
        parts: list[bytes] = []
        size = 0
        while size < limit and (part := disk.read(fd, 1024 * 1024, size)):
            parts.append(part)
            size += len(part)
        return b"".join(parts)
    except OSError as error:
        give_name(error, path)
        raise
    finally:
        disk.close(fd)


def replace_file(disk: Disk, path: bytes, data: bytes, seconds: float | None = None) -> None:
    """Replace the contents of a file, durably: afterwards either all is new or all old.

    ``seconds`` is its time of last modification, if not now.
    """
    temporary = path + b".new"
    overwrite_file(disk, temporary, [data], seconds)
    disk.rename(temporary, path)
    disk.sync_folder(os.path.dirname(path))


def replace_files(
    disk: Disk, contents: Mapping[bytes, bytes], meanwhile: Callable[[], object]
) -> None:
    """Replace the contents of several files, durably: of each, afterwards either all is new or all old.

    All contents are synced at once, while ``meanwhile`` is called; then all names, in whichever order.
    """
    with ExitStack() as opened:
        syncs = []
        for path, data in contents.items():
            fd = disk.overwrite(path + b".new")
            opened.callback(disk.close, fd)
            _write(disk, fd, path + b".new", data)
            syncs.append(partial(_sync, disk, fd, path + b".new"))
        _at_once(syncs, meanwhile)
    for path in contents:
        disk.rename(path + b".new", path)
    *others, last = dict.fromkeys(map(os.path.dirname, contents))
    _at_once([partial(disk.sync_folder, each) for each in others], partial(disk.sync_folder, last))


def overwrite_file(
    disk: Disk, path: bytes, pieces: Iterable[bytes], seconds: float | None = None
) -> None:
    """Write a file, new or not, and sync it; its name may not last yet."""
    fd = disk.overwrite(path)
    try:
        for piece in pieces:
            _write(disk, fd, path, piece)
        _sync(disk, fd, path, seconds)
    finally:
        disk.close(fd)


def _sync(disk: Disk, fd: int, path: bytes, seconds: float | None = None) -> None:
    try:
        if seconds is not None:
            disk.date(fd, seconds)
        disk.sync_file(fd)
    except OSError as error:
        give_name(error, path)
        raise


def _write(disk: Disk, fd: int, path: bytes, piece: bytes) -> None:
    """Write a piece; an error of reading the next one has another name."""
    try:
        disk.write(fd, piece)
    except OSError as error:
        give_name(error, path)
        raise


def extend_file(
    disk: Disk, path: bytes, data: bytes, meanwhile: Callable[[], object] | None = None
) -> None:
    """Write at the end of a file, durably; do something else while the disk syncs."""
    fd = disk.extend(path)
    try:
        disk.write(fd, data)
        if meanwhile is None:
            disk.sync_data(fd)
        else:
            _at_once([partial(disk.sync_data, fd)], meanwhile)
    except OSError as error:
        give_name(error, path)
        raise
    finally:
        disk.close(fd)


def _at_once(syncs: Sequence[Callable[[], object]], meanwhile: Callable[[], object]) -> None:
    """Sync in threads; whatever else happens, return or raise only when all of that is done."""
    with ThreadPoolExecutor(max(1, len(syncs)), "sync") as threads:
        synced = [threads.submit(each) for each in syncs]
        try:
            meanwhile()
        finally:
            for each in synced:
                each.result()


def make_folders(disk: Disk, path: bytes) -> None:
    """Make a folder and those above it, durably, where they are missing."""
    missing = []
    while not exists(disk, path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        with suppress(FileExistsError):
            disk.make_folder(folder)
        disk.sync_folder(os.path.dirname(folder))


def remove_tree(disk: Disk, path: bytes) -> None:
    """Remove a folder and all in it, without following links."""
    for name in disk.names(path):
        remove(disk, os.path.join(path, name))
    disk.remove_folder(path)


def remove(disk: Disk, path: bytes) -> None:
    """Remove a file, or a folder and all in it."""
    try:
        disk.unlink(path)
    except (IsADirectoryError, PermissionError):
        remove_tree(disk, path)
