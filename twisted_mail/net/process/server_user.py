"""The user that the server runs as, while it is still root.

``twistd --uid`` gives up root's rights after the ports were bound. Everything that is made before belongs
to the user nevertheless: it is made with the user's rights, or given away.
"""

import os
import pwd
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import twisted
import twisted_mail


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The user and group, or those that this process has already (``None``).

    ``files`` are what twistd has made as root.
    """

    ids: tuple[int, int] | None = None
    files: tuple[str, ...] = ()

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Have the user's rights for the moment, so that what is made belongs to the user."""
        if self.ids is None:
            yield
            return
        before = os.geteuid(), os.getegid()
        uid, gid = self.ids
        os.setegid(gid)
        os.seteuid(uid)
        try:
            yield
        finally:
            os.seteuid(before[0])
            os.setegid(before[1])

    def make_folder(self, path: Path) -> None:
        """Make a folder with those above it, and give it to the user. Raises OSError."""
        try:
            path.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            return
        if self.ids is not None:
            os.chown(path, *self.ids)

    def give_socket(self, path: str) -> None:
        """Give a UNIX socket that root has bound to the user. Raises OSError."""
        if self.ids is not None and path and stat.S_ISSOCK(os.lstat(path).st_mode):
            os.chown(path, *self.ids, follow_symlinks=False)

    def give_files(self) -> None:
        """Give plain files of root to the user; what is anything else stays as it is."""
        for path in self.files:
            self._give_file(path)

    def _give_file(self, path: str) -> None:
        if self.ids is None:
            return
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return
        found = os.fstat(descriptor)
        # In a folder of the user, the name could stand for any file of the system.
        if stat.S_ISREG(found.st_mode) and found.st_uid == 0 and found.st_nlink == 1:
            os.fchown(descriptor, *self.ids)
        os.close(descriptor)


def user_of(options: Mapping[str, Any]) -> ServerUser:
    """Return the user that the options of twistd name, in the order in which twistd looks at them."""
    uid, gid = options.get("uid"), options.get("gid")
    if os.geteuid() != 0 or (uid is None and gid is None):
        return ServerUser()
    uid = 0 if uid is None else int(uid)
    gid = pwd.getpwuid(uid).pw_gid if gid is None else int(gid)
    log_file = options.get("logfile") or ("" if options.get("nodaemon") else "twistd.log")
    files = (str(options.get("pidfile") or ""), "" if log_file == "-" else str(log_file))
    return ServerUser((uid, gid), tuple(filter(None, files)))


def unusable(folder: Path) -> list[str]:
    """Return what lies at the top of a folder and cannot be read and written; the folder, if it cannot.

    Names of files whose owner may be another on purpose (certificates) do not count.
    """
    if not _can_use(folder):
        return [str(folder)]
    with os.scandir(folder) as entries:
        found = [entry.path for entry in entries if not entry.is_symlink()]
    return sorted(path for path in found if not path.endswith("/tls") and not _can_use(Path(path)))


def unreadable_python() -> list[str]:
    """Return the files of Python and of this package that the user cannot read, as under /root."""
    wanted = (sys.executable, os.__file__, twisted.__file__, twisted_mail.__file__)
    paths = [path for path in wanted if path]
    return [path for path in paths if not os.access(path, os.R_OK, effective_ids=True)]


def _can_use(path: Path) -> bool:
    wanted = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
    return os.access(path, wanted, effective_ids=True)
