"""The folder of an export, which nobody else can alter while it is written."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twisted_mail.control.output import CommandError
from twisted_mail.control.store.backup import copying

_OPEN_FILES = Path("/proc/self/fd")


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """Make and open a folder; yield a path that leads there even if another takes its place.

    A user who could alter it would have the command write through his links, with the rights of
    the server. Raises CommandError for a folder that others can alter, and OSError.
    """
    copying.make(path)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except NotADirectoryError:
        raise CommandError(f"{path} is a link or no folder: choose another one") from None
    try:
        found = os.fstat(fd)
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o022:
            raise CommandError(f"{path} can be altered by others: choose a new one")
        yield _OPEN_FILES / str(fd) if _OPEN_FILES.exists() else path
    finally:
        os.close(fd)
