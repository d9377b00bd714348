"""What this process itself does in watched folders, so that the events of it start no search."""

from collections.abc import Callable

from twisted_mail.interfaces import FolderEvent
from twisted_mail.store.disk.calls import Disk

MAX_RECORDED = 100_000  # events that the file monitor has not reported yet

PathEvent = tuple[FolderEvent, bytes]  # what happened, and to which path


class OwnFileEvents:
    """Events that this process caused and that the file monitor has not reported yet.

    The lane records them before it causes them, and the reactor thread takes them off when they are
    reported; each of these is one operation on a set, which no other thread can divide. An event that is
    forgotten here only costs a look at its folder.
    """

    def __init__(self) -> None:
        self.folders: frozenset[bytes] = frozenset()  # that are watched
        self._recorded: set[PathEvent] = set()

    def record(self, *events: PathEvent) -> tuple[PathEvent, ...]:
        """Record events that are about to happen, as far as they are in watched folders; return those."""
        folders = self.folders
        if not folders:
            return ()
        recorded = tuple([each for each in events if each[1][: each[1].rfind(b"/")] in folders])
        if recorded:
            if len(self._recorded) > MAX_RECORDED:
                self._recorded.clear()
            self._recorded.update(recorded)
        return recorded

    def forget(self, *events: PathEvent) -> None:
        """Remove the record of events that did not happen after all."""
        self._recorded.difference_update(events)

    def consume(self, event: PathEvent) -> bool:
        """Return whether a reported event was our own, once for each that was recorded."""
        try:
            self._recorded.remove(event)
        except KeyError:
            return False
        return True

    def watch(self, *folders: bytes) -> None:
        """Record the events in these folders from now on."""
        self.folders |= set(folders)

    def unwatch(self, *folders: bytes) -> None:
        """Record no events in these folders any more."""
        self.folders -= set(folders)
        for event in list(self._recorded):
            if event[1].rpartition(b"/")[0] in folders:
                self._recorded.discard(event)


class RecordingDisk(Disk):
    """The system calls of a disk, with a record of each that watchers of folders will be notified of.

    All other calls are inherited. Where the disk has its own (those of tests do), they are put in the
    place of the inherited ones, so that none takes a step more than without the record.
    """

    def __init__(self, disk: Disk, own: OwnFileEvents) -> None:
        self._disk = disk
        self._own = own
        for name in _UNRECORDED:
            plain = getattr(Disk, name)
            if getattr(type(self), name) is plain is not getattr(type(disk), name):
                setattr(self, name, getattr(disk, name))

    def link(self, path: bytes, new_path: bytes) -> None:
        """Give a file another name; the new name must be free."""
        came = (FolderEvent.CAME, new_path)
        self._record((came,), self._disk.link, path, new_path)

    def rename(self, path: bytes, new_path: bytes) -> None:
        """Rename, replacing what has the new name."""
        moved = (FolderEvent.LEFT, path), (FolderEvent.CAME, new_path)
        self._record(moved, self._disk.rename, path, new_path)

    def rename_to_free(self, path: bytes, new_path: bytes) -> None:
        """Rename; the new name must be free. Raises FileExistsError."""
        moved = (FolderEvent.LEFT, path), (FolderEvent.CAME, new_path)
        self._record(moved, self._disk.rename_to_free, path, new_path)

    def unlink(self, path: bytes) -> None:
        """Remove a name."""
        deleted = (FolderEvent.DELETED, path)
        self._record((deleted,), self._disk.unlink, path)

    def touch(self, path: bytes) -> None:
        """Notify those who watch a folder; its times of access and modification stay."""
        touched = (FolderEvent.TOUCHED, path + b"/")
        self._record((touched,), self._disk.touch, path)

    def _record(
        self, events: tuple[PathEvent, ...], call: Callable[..., None], *paths: bytes
    ) -> None:
        """Make a call, with these events recorded first; forget them if it fails."""
        recorded = self._own.record(*events)
        try:
            call(*paths)
        except BaseException:
            self._own.forget(*recorded)
            raise


_UNRECORDED = [name for name in vars(Disk) if name[0] != "_" and name not in vars(RecordingDisk)]
