"""Files of messages: written, linked and copied durably."""

import errno
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from twisted_mail.mail.message import PIECE, Message
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.faults import give_name

NO_LINK = (errno.EXDEV, errno.EMLINK, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP)


def write_file(
    disk: Disk,
    path: bytes,
    pieces: Iterable[bytes],
    seconds: float,
    seal: Callable[[int], None] | None = None,
) -> None:
    """Write a new file, dated, and sync it, or else ``seal`` it. Nothing is left when that fails."""
    fd = disk.create(path)
    try:
        try:
            for piece in pieces:
                try:
                    disk.write(fd, piece)
                except OSError as error:  # but not one of reading the pieces
                    give_name(error, path)
                    raise
            try:
                disk.date(fd, seconds)
                (seal or disk.sync_file)(fd)
            except OSError as error:
                give_name(error, path)
                raise
        finally:
            disk.close(fd)
    except Exception:
        with suppress(OSError):
            disk.unlink(path)
        raise


def write_message(
    disk: Disk,
    path: bytes,
    message: Message,
    seconds: float,
    seal: Callable[[int], None] | None = None,
) -> None:
    """Write a message as ``write_file`` does. Raises OSError, also when its blob is cut short."""
    size = message.size
    if size <= PIECE:  # most are small, and written by one system call
        data = message.read()
        _check(len(data), size)
        write_file(disk, path, (data,), seconds, seal)
    else:
        write_file(disk, path, _pieces(message, size), seconds, seal)


def _pieces(message: Message, size: int) -> Iterator[bytes]:
    written = 0
    for piece in message.pieces():
        written += len(piece)
        yield piece
    _check(written, size)


def _check(written: int, size: int) -> None:
    if written != size:
        raise OSError(errno.EIO, "the message is not as long as it says")


def link_or_copy(disk: Disk, path: bytes, new_path: bytes) -> None:
    """Link a file to a new name, or copy it, synced, where it cannot be linked."""
    try:
        disk.link(path, new_path)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        write_file(disk, new_path, _chunks(disk, path), disk.stat(path).st_mtime)


def _chunks(disk: Disk, path: bytes) -> Iterator[bytes]:
    fd = disk.open(path)
    try:
        at = 0
        while chunk := _chunk(disk, fd, at, path):
            yield chunk
            at += len(chunk)
    finally:
        disk.close(fd)


def _chunk(disk: Disk, fd: int, at: int, path: bytes) -> bytes:
    try:
        return disk.read(fd, PIECE, at)
    except OSError as error:
        give_name(error, path)
        raise
