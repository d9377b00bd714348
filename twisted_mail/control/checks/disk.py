"""The disk under the state folder: whether it can be written, has room, and is one file system."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from twisted_mail.config import Config
from twisted_mail.control.checks.note import Level, Note
from twisted_mail.control.output import count

LEAST_ROOM = 512 << 20  # octets below which an operator wants to know
LEAST_FILES = 10_000  # that can still be made; each message is one
SHOWN = 5  # folders that are elsewhere
SUBJECT = "disk"


def disk_notes(config: Config) -> Iterator[Note]:
    """Check what statvfs(3) knows, and that mail is a rename away from its folder."""
    try:
        found = os.statvfs(config.state)
    except OSError:
        return  # what is wrong with the folder is a note already
    if found.f_flag & os.ST_RDONLY:
        yield Note("fault", SUBJECT, f"{config.state} is on a file system that is read only")
        return
    yield _room(config.state, found)
    if found.f_files and found.f_favail < LEAST_FILES:  # some file systems have no such limit
        level: Level = "warning" if found.f_favail else "fault"
        text = f"{config.state}: {count(found.f_favail, 'file')} more can be made (inodes; df -i)"
        yield Note(level, SUBJECT, text)
    elsewhere = sorted(_elsewhere(config))
    if elsewhere:
        shown = ", ".join(elsewhere[:SHOWN])
        text = (
            f"{shown} is on another file system than {config.spool_folder}, from where"
            " messages are moved: mail for it is refused for now, and the state folder has to be one"
        )
        yield Note("fault", SUBJECT, text)


def _room(state: Path, found: os.statvfs_result) -> Note:
    room = found.f_bavail * found.f_frsize
    shown = f"{room >> 20} MiB" if room < 10 << 30 else f"{room >> 30} GiB"
    if not room:
        return Note("fault", SUBJECT, f"{state} is on a disk that is full")
    return Note(
        "fine" if room >= LEAST_ROOM else "warning", SUBJECT, f"{state} has {shown} of room"
    )


def _elsewhere(config: Config) -> Iterator[str]:
    """Yield the folders of mail, domains and accounts that are not where messages come in."""
    with suppress(OSError):
        spool = config.spool_folder
        home = os.stat(spool if spool.is_dir() else config.state).st_dev
        yield from _on_others(config.mail_folder, home, 2)


def _on_others(folder: Path, home: int, depth: int) -> Iterator[str]:
    """Yield a folder if it is on another device than ``home``, else those in it."""
    try:
        if os.stat(folder).st_dev != home:
            yield str(folder)
        elif depth:
            with os.scandir(folder) as entries:
                inside = [Path(entry.path) for entry in entries if entry.is_dir()]
            for one in inside:
                yield from _on_others(one, home, depth - 1)
    except OSError:
        return  # store check looks into each account
