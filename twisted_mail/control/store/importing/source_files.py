"""The files of a source, opened so that nothing else is read in their place.

Whoever owns the source can put links into it, and the command may read what he may not. So below the
source nothing is opened through a link, and only regular files of the source's owner are read.
"""

import os
import stat
from collections import deque
from io import BufferedReader

from twisted_mail.control.output import CommandError
from twisted_mail.control.store.skipped import BadItem

MAX_LINKS = 40  # on the way to the source, as the kernel has it
_STEP = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PASS = getattr(os, "O_PATH", os.O_RDONLY) | _STEP  # through folders that cannot be listed
_LINK = "it is a link, and none is followed"


class SourceFiles:
    """A folder with what is below it, or one file: then ``file`` is its name, else empty.

    Paths are below the source. Raises CommandError where the source itself cannot be read.
    ``is_of_one_owner`` is False where files of several users may be read, but no links.
    """

    def __init__(self, path: bytes, is_of_one_owner: bool = True) -> None:
        self.path = os.path.abspath(path)
        self._folder_path: bytes | None = None
        self._folder_fd = -1
        try:
            self._root, self.file = _resolved(self.path)
            found = os.stat(self.file or b".", dir_fd=self._root, follow_symlinks=False)
        except OSError as error:
            raise CommandError(f"{os.fsdecode(path)}: {error.strerror}") from None
        self._owner = found.st_uid if is_of_one_owner else None

    def shown(self, path: bytes) -> str:
        """Return the path of a file as people see it."""
        return os.fsdecode(os.path.join(self.path, path) if path and not self.file else self.path)

    def names(self, folder: bytes = b"") -> list[bytes]:
        """Return the names in a folder, sorted. Raises BadItem, OSError."""
        return sorted(os.fsencode(name) for name in os.listdir(self._opened_folder(folder)))

    def is_folder(self, path: bytes) -> bool:
        """Return whether there is such a folder, and on the way to it no link."""
        try:
            self._opened_folder(path)
        except (BadItem, OSError):
            return False
        return True

    def is_link_to_folder(self, path: bytes) -> bool:
        """Return whether a name is a link that leads to a folder, which is not opened."""
        folder, name = os.path.split(path)
        try:
            above = self._opened_folder(folder)
            found = os.stat(name, dir_fd=above, follow_symlinks=False)
            target = os.stat(name, dir_fd=above)
        except (BadItem, OSError):
            return False
        return stat.S_ISLNK(found.st_mode) and stat.S_ISDIR(target.st_mode)

    def described(self, path: bytes) -> os.stat_result:
        """Describe a file that may be read. Raises BadItem for any other, and OSError."""
        folder, name = os.path.split(path)
        found = os.stat(name, dir_fd=self._opened_folder(folder), follow_symlinks=False)
        self._check(found)
        return found

    def open(self, path: bytes) -> BufferedReader:
        """Open a file for reading. Raises BadItem for what may not be read, and OSError."""
        folder, name = os.path.split(path)
        above = self._opened_folder(folder)
        self._check(os.stat(name, dir_fd=above, follow_symlinks=False))
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = os.fdopen(os.open(name, flags, dir_fd=above), "rb")
        try:
            self._check(os.fstat(file.fileno()))  # it may be another one by now
        except BadItem:
            file.close()
            raise
        return file

    def read(self, path: bytes, limit: int) -> bytes | None:
        """Return the first octets of a file; None where there is none. Raises BadItem, OSError."""
        try:
            with self.open(path) as file:
                return file.read(limit)
        except FileNotFoundError:
            return None

    def whole(self, path: bytes, limit: int) -> bytes:
        """Return the contents of a file. Raises BadItem where there are more octets, and OSError."""
        with self.open(path) as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise BadItem(f"it has more than {limit} octets")
        return data

    def _check(self, found: os.stat_result) -> None:
        if stat.S_ISLNK(found.st_mode):
            raise BadItem(_LINK)
        if not stat.S_ISREG(found.st_mode):
            raise BadItem("it is no file")
        if self._owner not in (None, found.st_uid):
            raise BadItem("it belongs to another user than the source")

    def _opened_folder(self, path: bytes) -> int:
        """Open a folder, step by step, and keep it open until another one is asked for."""
        if path == self._folder_path:
            return self._folder_fd
        fd = os.open(b".", os.O_RDONLY | _STEP, dir_fd=self._root)
        for name in [each for each in path.split(b"/") if each]:
            above = fd
            try:
                fd = os.open(name, os.O_RDONLY | _STEP, dir_fd=above)
            except NotADirectoryError:
                found = os.stat(name, dir_fd=above, follow_symlinks=False)
                raise BadItem(_LINK if stat.S_ISLNK(found.st_mode) else "it is no folder") from None
            finally:
                os.close(above)
        self._forget_folder()
        self._folder_path, self._folder_fd = path, fd
        return fd

    def _forget_folder(self) -> None:
        if self._folder_fd >= 0:
            os.close(self._folder_fd)
        self._folder_path, self._folder_fd = None, -1

    def close(self) -> None:
        """Close the folders."""
        self._forget_folder()
        if self._root >= 0:
            os.close(self._root)
            self._root = -1


def _resolved(path: bytes) -> tuple[int, bytes]:
    """Open a folder, or the folder of a file; return it with the file's name.

    On the way links are followed if root, this process's user or the source's owner made them: whoever
    else made one chose what is read. Raises CommandError, OSError.
    """
    steps = deque(each for each in path.split(b"/") if each)
    makers: set[int] = set()
    fd = os.open(b"/", _PASS)
    links = 0
    try:
        while steps:
            name = steps.popleft()
            found = os.stat(name, dir_fd=fd, follow_symlinks=False)
            if stat.S_ISLNK(found.st_mode):
                links += 1
                makers.add(found.st_uid)
                fd = _followed(fd, name, steps, links)
            elif stat.S_ISDIR(found.st_mode) or steps:
                fd, above = os.open(name, _PASS, dir_fd=fd), fd
                os.close(above)
            else:
                return _trusted(fd, name, makers)
        return _trusted(fd, b"", makers)
    except BaseException:
        os.close(fd)
        raise


def _followed(fd: int, name: bytes, steps: deque[bytes], links: int) -> int:
    """Put the steps of a link before the others; return the folder where they begin."""
    if links > MAX_LINKS:
        raise CommandError("there are too many links on the way to the source")
    target = os.readlink(name, dir_fd=fd)
    steps.extendleft(reversed([each for each in target.split(b"/") if each]))
    if not target.startswith(b"/"):
        return fd
    root = os.open(b"/", _PASS)
    os.close(fd)
    return root


def _trusted(fd: int, name: bytes, makers: set[int]) -> tuple[int, bytes]:
    owner = os.stat(name or b".", dir_fd=fd, follow_symlinks=False).st_uid
    if makers - {0, os.geteuid(), owner}:
        raise CommandError("the source is a link made by another user than its owner")
    return fd, name
