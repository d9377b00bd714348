"""What this process itself does in watched folders, so that hearing of it starts no search."""

from typing import cast

from twisted_mail.interfaces import FolderEvent
from twisted_mail.store.disk.calls import Disk

MOST = 100_000  # of our own doings that nobody has heard of yet

PathEvent = tuple[FolderEvent, bytes]  # what, to which path


class OwnFileEvents:
    """Our own doings that were not heard of yet.

    The lane notes them before it does them, and the reactor thread takes them off when it hears of them;
    each of these is one operation on a set, which no other thread can divide. What is forgotten here is
    merely looked at.
    """

    def __init__(self) -> None:
        self.folders: frozenset[bytes] = frozenset()  # that are watched
        self._noted: set[PathEvent] = set()

    def note(self, *doings: PathEvent) -> tuple[PathEvent, ...]:
        """Take note of what is about to be done, as far as it will be heard of; return that."""
        folders = self.folders
        if not folders:
            return ()
        noted = tuple([each for each in doings if each[1][: each[1].rfind(b"/")] in folders])
        if noted:
            if len(self._noted) > MOST:
                self._noted.clear()
            self._noted.update(noted)
        return noted

    def forget(self, *doings: PathEvent) -> None:
        """Take back what was not done after all."""
        self._noted.difference_update(doings)

    def consume(self, doing: PathEvent) -> bool:
        """Say whether something heard was our own doing; that can be said once for each."""
        try:
            self._noted.remove(doing)
        except KeyError:
            return False
        return True

    def watch(self, *folders: bytes) -> None:
        """Note what is done in these folders from now on."""
        self.folders |= set(folders)

    def unwatch(self, *folders: bytes) -> None:
        """Note nothing in these folders any more."""
        self.folders -= set(folders)
        for doing in list(self._noted):
            if doing[1].rpartition(b"/")[0] in folders:
                self._noted.discard(doing)


class RecordingDisk:
    """The system calls, with a note of each that watchers of folders will hear of."""

    def __init__(self, disk: Disk, own: OwnFileEvents) -> None:
        self._disk = disk
        self._own = own

    def __getattr__(self, name: str) -> object:
        return getattr(self._disk, name)

    def link(self, path: bytes, new_path: bytes) -> None:
        """Give a file another name."""
        noted = self._own.note((FolderEvent.CAME, new_path))
        try:
            self._disk.link(path, new_path)
        except BaseException:
            self._own.forget(*noted)
            raise

    def rename(self, path: bytes, new_path: bytes) -> None:
        """Rename, replacing what has the new name."""
        noted = self._own.note((FolderEvent.LEFT, path), (FolderEvent.CAME, new_path))
        try:
            self._disk.rename(path, new_path)
        except BaseException:
            self._own.forget(*noted)
            raise

    def rename_to_free(self, path: bytes, new_path: bytes) -> None:
        """Rename; the new name must be free."""
        noted = self._own.note((FolderEvent.LEFT, path), (FolderEvent.CAME, new_path))
        try:
            self._disk.rename_to_free(path, new_path)
        except BaseException:
            self._own.forget(*noted)
            raise

    def unlink(self, path: bytes) -> None:
        """Take a name away."""
        noted = self._own.note((FolderEvent.DELETED, path))
        try:
            self._disk.unlink(path)
        except BaseException:
            self._own.forget(*noted)
            raise

    def touch(self, path: bytes) -> None:
        """Have those who watch a folder hear of it."""
        noted = self._own.note((FolderEvent.TOUCHED, path + b"/"))
        try:
            self._disk.touch(path)
        except BaseException:
            self._own.forget(*noted)
            raise


def recording(disk: Disk, own: OwnFileEvents) -> Disk:
    """Return a disk that does the same, and takes notes."""
    return cast("Disk", RecordingDisk(disk, own))
