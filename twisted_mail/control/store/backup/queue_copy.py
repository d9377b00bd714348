"""The queue in a backup: mail that waits to be handed on."""

import os
import shutil
from pathlib import Path

import apsw

from twisted_mail.config import Config
from twisted_mail.control.output import CommandError
from twisted_mail.control.store.backup import copying
from twisted_mail.control.store.importing.source_files import SourceFiles
from twisted_mail.queue.spool.bodies import FOLDER
from twisted_mail.queue.spool.database import NAME
from twisted_mail.queue.spool.mending.backup import back_up
from twisted_mail.queue.spool.schema import SpoolUnusable
from twisted_mail.store.disk.files import DiskFiles

_COPY = "queue"  # its folder in a backup


def save(config: Config, folder: Path) -> None:
    """Copy the queue, as it is at one moment, while the server runs. Raises CommandError, OSError."""
    target = folder / _COPY
    shutil.rmtree(target, ignore_errors=True)  # of an unfinished backup
    if not (config.queue_folder / NAME).exists():
        return
    copying.make(target)
    try:
        back_up(str(config.queue_folder), str(target), DiskFiles())
    except (SpoolUnusable, apsw.Error) as error:
        raise CommandError(f"the queue cannot be copied: {error}") from None


def restore(config: Config, files: SourceFiles) -> bool:
    """Restore the queue where the state folder has none; return whether that was done.

    Raises CommandError where the copy cannot be read, OSError.
    """
    source = os.fsencode(_COPY)
    names = files.names() if not (config.queue_folder / NAME).exists() else []
    if source not in names:
        return False
    bodies = os.path.join(source, os.fsencode(FOLDER))
    copying.make(config.queue_folder / FOLDER)
    for name in files.names(bodies):
        _copy(files, os.path.join(bodies, name), config.queue_folder / FOLDER / os.fsdecode(name))
    # The database last: without it there is no queue, and the next run begins anew.
    _copy(files, os.path.join(source, os.fsencode(NAME)), config.queue_folder / NAME)
    copying.sync_tree(config.queue_folder)
    return True


def _copy(files: SourceFiles, source: bytes, target: Path) -> None:
    with files.open(source) as file:
        found = os.fstat(file.fileno())
        copying.copy(file.fileno(), target, found.st_size, found.st_mtime)
    target.chmod(0o600)
