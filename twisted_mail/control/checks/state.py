"""The state folder and the mail log, as ``twisted-mail check`` sees them."""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from twisted_mail.config import Config
from twisted_mail.control.checks.note import Note
from twisted_mail.control.checks.server_user import current_name
from twisted_mail.net.process.server_user import unreadable_python, unusable


def state_notes(config: Config) -> Iterator[Note]:
    """Check that the state folder can be used, by its owner alone."""
    path = config.state
    try:
        found = os.stat(path)
    except OSError as error:
        yield Note("fault", "state folder", f"{path}: {error.strerror}")
        return
    if not stat.S_ISDIR(found.st_mode):
        yield Note("fault", "state folder", f"{path} is no folder")
    elif wrong := unusable(path):
        shown = ", ".join(wrong[:5])
        owner = _owner(found.st_uid)
        cure = (
            f"chown -R {owner} {path}" if owner == current_name() else f"check as {owner} or root"
        )
        text = (
            f"{current_name()} cannot read and write {shown}, so the server does not start as this"
        )
        yield Note("fault", "state folder", f"{text} user ({cure})")
    elif found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        text = f"{path} is open to others on this machine (mode {mode:o}; chmod 700 {path})"
        yield Note("warning", "state folder", text)
    elif strangers := _strangers(path, found.st_uid):
        text = f"in {path} not everything belongs to the folder's owner: {', '.join(strangers)}"
        yield Note("warning", "state folder", text)
    else:
        yield Note("fine", "state folder", f"{path} belongs to its owner alone")


def configuration_notes(config: Config) -> Iterator[Note]:
    """Check that the server can read its configuration again after it gave up root's rights."""
    yield Note("fine", "configuration", f"{config.path} has no mistakes")
    if found := unreadable_python():
        text = f"{current_name()} cannot read {found[0]}, so the server does not start: move it to /opt"
        yield Note("fault", "installation", text)
    folder = config.path.with_name(config.path.name + ".d")
    for path in (config.path, *sorted(folder.glob("*.toml"))):
        if not os.access(path, os.R_OK, effective_ids=True):
            text = f"{current_name()} cannot read {path}: the server cannot reload it"
            yield Note("warning", "configuration", text)


def _owner(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _strangers(path: Path, owner: int) -> list[str]:
    """Return the files at the top of the state folder that belong to root or another user."""
    with os.scandir(path) as entries:
        found = [one.name for one in entries if one.stat(follow_symlinks=False).st_uid != owner]
    return sorted(found)[:10]


def mail_log_notes(config: Config) -> Iterator[Note]:
    """Check that a mail log can be written; without one, workers lose their lines."""
    if config.log.file:
        path = config.state / config.log.file
        wanted = path if path.exists() else path.parent
        if os.access(wanted, os.W_OK, effective_ids=True):
            yield Note("fine", "mail log", f"{path} can be written")
        else:
            text = (
                f"{wanted} cannot be written by {current_name()}; the lines will go to twistd's log"
            )
            yield Note("warning", "mail log", text)
    elif config.workers.number:
        text = "without [log] file each line of the workers goes through the main process"
        yield Note("warning", "workers", text)
