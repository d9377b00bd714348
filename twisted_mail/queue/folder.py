"""Jobs on disk: a folder with files that are named after the job.

| file | what it is |
| --- | --- |
| ``ID.mail`` | the message, trace fields in front, without Return-Path |
| ``ID.new`` | the description of a job that is only prepared |
| ``ID.json`` | the description of a job that is ours: this name makes it so |
| ``ID.done`` | numbers of the members of a list who have their copy, one on a line |
| ``ID.approve``, ``ID.reject`` | a moderator's decision about a job that is held |

A job is ours as soon as its description has been renamed from ``.new`` to ``.json`` and the folder
synced; what a crash leaves of others is removed at the next start. All methods may block.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from twisted_mail.mail.job import APPROVE, REJECT, Job
from twisted_mail.mail.message import PIECE, Message
from twisted_mail.queue.job_file import MAX_DESCRIPTION, decode, encode

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
WAITING_FOLDER = "waiting"  # its name in the state folder


class JobBlob:
    """The message of a job; fulfils ``mail.message.Blob``. The file is open only while it is read."""

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
        """Do nothing: the file stays the job's."""


class QueueFolder:
    """The folder of the jobs. Methods raise OSError."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    # ------------------------------------------------------------ taking in

    def prepare(self, jobs: Sequence[Job], message: Message) -> None:
        """Write a message and the descriptions of its jobs, synced, and promise nothing yet."""
        first = self._path(jobs[0].id, "mail")
        try:
            _write(first, message.pieces())
            for job in jobs:
                if job is not jobs[0]:
                    os.link(first, self._path(job.id, "mail"))
                _write(self._path(job.id, "new"), [encode(job)])
        except BaseException:
            self.rollback(jobs)
            raise

    def commit(self, jobs: Sequence[Job]) -> None:
        """Make prepared jobs ours; when this returns, they are on disk."""
        for job in jobs:
            os.rename(self._path(job.id, "new"), self._path(job.id, "json"))
        self._sync()

    def rollback(self, jobs: Sequence[Job]) -> None:
        """Remove jobs that were prepared and not promised."""
        for job in jobs:
            self._remove(job.id, ("new", "mail"))

    # ------------------------------------------------------------ keeping

    def load(self) -> list[Job]:
        """Return all jobs that are ours, oldest first, and sweep away what a crash has left."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        found: dict[str, Job] = {}
        names = os.listdir(self._folder)
        ours = {name[:-5] for name in names if name.endswith(".json")}
        for id in ours:
            if (job := self._read(id)) is not None:
                found[id] = job
        for name in names:
            id, _, kind = name.rpartition(".")
            if id not in ours and kind in ("mail", "new", "tmp", "done", APPROVE, REJECT):
                self._remove(id, (kind,))
        return sorted(found.values(), key=lambda job: job.created)

    def read_all(self) -> list[Job]:
        """Return all jobs that are ours, oldest first, for whoever looks from outside."""
        names = os.listdir(self._folder) if os.path.isdir(self._folder) else []
        read = (self._read(name[:-5]) for name in names if name.endswith(".json"))
        found = [job for job in read if job is not None]
        return sorted(found, key=lambda job: job.created)

    def _read(self, id: str) -> Job | None:
        """Return a job; None where its files are damaged, which then stay for whoever looks."""
        try:
            with open(self._path(id, "json"), "rb") as file:
                job = decode(file.read(MAX_DESCRIPTION))
            os.stat(self._path(id, "mail"))
        except (OSError, ValueError):
            return None
        return job if job.id == id else None

    def update(self, job: Job) -> None:
        """Put a job's new description in the place of the old one, durably."""
        path = self._path(job.id, "json")
        _write(f"{path[:-5]}.tmp", [encode(job)])
        os.rename(f"{path[:-5]}.tmp", path)
        self._sync()

    def remove(self, id: str) -> None:
        """Remove a job: its description first, so that no half of it comes back."""
        self._remove(id, ("json",))
        self._sync()
        self._remove(id, ("mail", "done", "tmp", APPROVE, REJECT))

    def blob(self, id: str) -> JobBlob:
        """Return the message of a job."""
        path = self._path(id, "mail")
        return JobBlob(path, os.stat(path).st_size)

    # ------------------------------------------------------------ progress and words

    def done(self, id: str) -> set[int]:
        """Return the numbers of the members who have a list's job already."""
        try:
            with open(self._path(id, "done"), "rb") as file:
                lines = file.read().split(b"\n")[:-1]  # the last may be torn
        except FileNotFoundError:
            return set()
        return {int(line) for line in lines if line.isdigit()}

    def note_done(self, id: str, numbers: Iterable[int]) -> None:
        """Note durably that these members have a list's job."""
        lines = "".join(f"{number}\n" for number in numbers).encode()
        descriptor = os.open(self._path(id, "done"), _WRITE | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, lines)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def pending_decisions(self) -> list[tuple[str, str]]:
        """Return what somebody has said about held jobs: id, and ``approve`` or ``reject``."""
        names = (name.rpartition(".") for name in os.listdir(self._folder))
        return [(id, kind) for id, _, kind in names if kind in (APPROVE, REJECT)]

    def decide(self, id: str, word: str) -> None:
        """Leave a word about a held job, for the running server."""
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
