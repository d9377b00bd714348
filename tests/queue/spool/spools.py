"""Spools on disk for tests, without threads."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw

from twisted_mail.interfaces import Blocking, Clock, FaultReport, unreported
from twisted_mail.queue.spool.disk_spool import DiskJobSpool
from twisted_mail.queue.spool.settings import SpoolSettings
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.files import DiskFiles
from twisted_mail.store.disk.memory_budget import Budget
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


def make_spool(
    folder: Path,
    disk: Disk | None = None,
    report_fault: FaultReport = unreported,
    clock: Clock | None = None,
    blocking: Blocking | None = None,
    **settings: Any,
) -> DiskJobSpool:
    """Return a spool that is not started. ``min_free`` is 0, if it is not given."""
    return DiskJobSpool(
        str(folder),
        DiskFiles(disk),
        blocking or InlineBlocking(),
        clock or StillClock(),
        Budget(),
        report_fault,
        SpoolSettings(**{"min_free": 0, "lock_seconds": 0.0, **settings}),
    )


def start_spool(folder: Path, disk: Disk | None = None, **given: Any) -> DiskJobSpool:
    spool = make_spool(folder, disk, **given)
    finish(spool.start())
    return spool


def abandon(spool: DiskJobSpool, is_killed: bool = False) -> None:
    """Leave a spool as a process does that is killed: nothing more is written.

    Without ``is_killed`` somebody else sees to that.
    """
    if is_killed:
        spool._writing._groups.connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        spool._reading.connection.get().config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    with suppress(AttributeError):  # it was never opened
        spool._writing._groups.close()
    spool._reading.connection.close()
    spool._upkeep._second.connection.close()
    spool._lock.release()
