"""Where parcels lie: a folder with files of three kinds, named after the parcel.

| file | what it is |
| --- | --- |
| ``ID.mail`` | the message, trace fields in front, without Return-Path |
| ``ID.new`` | the description of a parcel that is not ours yet |
| ``ID.json`` | the description of one that is: this name makes it so |
| ``ID.done`` | numbers of the members of a list who have it already, one on a line |
| ``ID.approve``, ``ID.reject`` | somebody's word about a parcel that is held |

A parcel is promised when its description has been renamed from ``.new`` to ``.json`` and the folder
synced; whatever a crash leaves of others is swept away at the next start. All methods may block.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from twisted_mail.mail.job import MAX_DESCRIPTION, Job, decode, encode
from twisted_mail.mail.message import PIECE, Message

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
APPROVE, REJECT = "approve", "reject"
WAITING_FOLDER = "waiting"  # its name in the state folder


class JobBlob:
    """The message of a parcel; fulfils ``mail.message.Blob``. The file is open only while it is read."""

    def __init__(self, path: str, size: int) -> None:
        self._path = path
        self._size = size

    @property
    def size(self) -> int:
        """Return the number of octets."""
        return self._size

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the octets from ``start`` to ``stop``. Raises OSError."""
        stop = self._size if stop is None else min(stop, self._size)
        descriptor = os.open(self._path, _READ)
        try:
            while start < stop:
                piece = os.pread(descriptor, min(PIECE, stop - start), start)
                if not piece:
                    raise OSError(f"{self._path} is shorter than it was")
                start += len(piece)
                yield piece
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Do nothing: the file stays the parcel's."""


class QueueFolder:
    """The folder of the parcels. Methods raise OSError."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    # ------------------------------------------------------------ taking in

    def prepare(self, parcels: Sequence[Job], message: Message) -> None:
        """Write a message and the descriptions of its parcels, synced, and promise nothing yet."""
        first = self._path(parcels[0].id, "mail")
        try:
            _write(first, message.pieces())
            for parcel in parcels:
                if parcel is not parcels[0]:
                    os.link(first, self._path(parcel.id, "mail"))
                _write(self._path(parcel.id, "new"), [encode(parcel)])
        except BaseException:
            self.rollback(parcels)
            raise

    def commit(self, parcels: Sequence[Job]) -> None:
        """Make prepared parcels ours; when this returns, they are on disk."""
        for parcel in parcels:
            os.rename(self._path(parcel.id, "new"), self._path(parcel.id, "json"))
        self._sync()

    def rollback(self, parcels: Sequence[Job]) -> None:
        """Remove parcels that were prepared and not promised."""
        for parcel in parcels:
            self._remove(parcel.id, ("new", "mail"))

    # ------------------------------------------------------------ keeping

    def load(self) -> list[Job]:
        """Return all parcels that are ours, oldest first, and sweep away what a crash has left."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        found: dict[str, Job] = {}
        names = os.listdir(self._folder)
        ours = {name[:-5] for name in names if name.endswith(".json")}
        for id in ours:
            if (parcel := self._read(id)) is not None:
                found[id] = parcel
        for name in names:
            id, _, kind = name.rpartition(".")
            if id not in ours and kind in ("mail", "new", "tmp", "done", APPROVE, REJECT):
                self._remove(id, (kind,))
        return sorted(found.values(), key=lambda parcel: parcel.created)

    def read_all(self) -> list[Job]:
        """Return all parcels that are ours, oldest first, for whoever looks from outside."""
        names = os.listdir(self._folder) if os.path.isdir(self._folder) else []
        read = (self._read(name[:-5]) for name in names if name.endswith(".json"))
        found = [parcel for parcel in read if parcel is not None]
        return sorted(found, key=lambda parcel: parcel.created)

    def _read(self, id: str) -> Job | None:
        """Return a parcel; None where its files are damaged, which then stay for whoever looks."""
        try:
            with open(self._path(id, "json"), "rb") as file:
                parcel = decode(file.read(MAX_DESCRIPTION))
            os.stat(self._path(id, "mail"))
        except (OSError, ValueError):
            return None
        return parcel if parcel.id == id else None

    def update(self, parcel: Job) -> None:
        """Put a parcel's new description in the place of the old one, durably."""
        path = self._path(parcel.id, "json")
        _write(f"{path[:-5]}.tmp", [encode(parcel)])
        os.rename(f"{path[:-5]}.tmp", path)
        self._sync()

    def remove(self, id: str) -> None:
        """Remove a parcel: its description first, so that no half of it comes back."""
        self._remove(id, ("json",))
        self._sync()
        self._remove(id, ("mail", "done", "tmp", APPROVE, REJECT))

    def blob(self, id: str) -> JobBlob:
        """Return the message of a parcel."""
        path = self._path(id, "mail")
        return JobBlob(path, os.stat(path).st_size)

    # ------------------------------------------------------------ progress and words

    def done(self, id: str) -> set[int]:
        """Return the numbers of the members who have a list's parcel already."""
        try:
            with open(self._path(id, "done"), "rb") as file:
                lines = file.read().split(b"\n")[:-1]  # the last may be torn
        except FileNotFoundError:
            return set()
        return {int(line) for line in lines if line.isdigit()}

    def note_done(self, id: str, numbers: Iterable[int]) -> None:
        """Note durably that these members have a list's parcel."""
        lines = "".join(f"{number}\n" for number in numbers).encode()
        descriptor = os.open(self._path(id, "done"), _WRITE | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, lines)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def pending_decisions(self) -> list[tuple[str, str]]:
        """Return what somebody has said about held parcels: id, and ``approve`` or ``reject``."""
        names = (name.rpartition(".") for name in os.listdir(self._folder))
        return [(id, kind) for id, _, kind in names if kind in (APPROVE, REJECT)]

    def decide(self, id: str, word: str) -> None:
        """Leave a word about a held parcel, for the running server."""
        os.close(os.open(self._path(id, word), _WRITE, 0o600))
        self._sync()

    def remove_decision(self, id: str, word: str) -> None:
        """Forget a word that has been acted on."""
        self._remove(id, (word,))

    # ------------------------------------------------------------ files

    def _path(self, id: str, kind: str) -> str:
        return os.path.join(self._folder, f"{id}.{kind}")

    def _remove(self, id: str, kinds: Sequence[str]) -> None:
        for kind in kinds:
            with suppress(FileNotFoundError):
                os.unlink(self._path(id, kind))

    def _sync(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write(path: str, pieces: Iterable[bytes]) -> None:
    """Write a file and sync it."""
    descriptor = os.open(path, _WRITE | os.O_TRUNC, 0o600)
    try:
        for piece in pieces:
            view = memoryview(piece)
            while view:
                view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
