"""Jobs on disk: a folder with files that are named after the job.

| file | what it is |
| --- | --- |
| ``ID.mail`` | the message, trace fields in front, without Return-Path |
| ``ID.new`` | the description of a job that is only prepared |
| ``ID.json`` | the description of a job that is ours: this name makes it so |
| ``ID.done`` | numbers of the members of a list who have their copy, one on a line |
| ``ID.approve``, ``ID.reject`` | a moderator's decision about a job that is held |

Dead letters are in a folder of their own inside, which looks the same (see ``dead_letters``).

A job is ours as soon as its description has been renamed from ``.new`` to ``.json`` and the folder
synced; what a crash leaves of others is removed at the next start. All methods may block.
"""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress

from twisted_mail.interfaces import DurableFiles, FaultReport, unreported
from twisted_mail.mail.job import APPROVE, REJECT, Job
from twisted_mail.mail.message import Blob, Message
from twisted_mail.queue.job_file import MAX_DESCRIPTION, decode, encode

WAITING_FOLDER = "waiting"  # its name in the state folder
_MAX_DONE = 64 * 1024 * 1024  # octets of the numbers of members
_BESIDE = ("mail", "done", APPROVE, REJECT)  # the files that a job may have with its description
_TRANSIENT = ("new", "tmp")  # what a crash may leave, ``tmp`` by older versions


class QueueFolder:
    """The folder of the jobs. Methods raise OSError. Fulfils ``interfaces.JobProgress``.

    A job that cannot be read is reported, stays where it is, and keeps no other from being read.
    """

    def __init__(
        self, folder: str, files: DurableFiles, report_fault: FaultReport = unreported
    ) -> None:
        self.path = folder
        self._files = files
        self._report_fault = report_fault

    # ------------------------------------------------------------ taking in

    def prepare(self, jobs: Sequence[Job], message: Message) -> None:
        """Write a message and the descriptions of its jobs, synced, and promise nothing yet."""
        first = self._path(jobs[0].id, "mail")
        try:
            self._files.write(first, message.pieces())
            for job in jobs:
                if job is not jobs[0]:
                    self._files.link(first, self._path(job.id, "mail"))
                self._files.write(self._path(job.id, "new"), [encode(job)])
        except BaseException:
            self.rollback(jobs)
            raise

    def commit(self, jobs: Sequence[Job]) -> None:
        """Make prepared jobs ours; when this returns, they are on disk."""
        for job in jobs:
            self._files.rename(self._path(job.id, "new"), self._path(job.id, "json"))
        self._files.sync_folder(self.path)

    def rollback(self, jobs: Sequence[Job]) -> None:
        """Remove prepared jobs."""
        for job in jobs:
            self._remove(job.id, ("new", "mail"))

    # ------------------------------------------------------------ keeping

    def load(self) -> list[Job]:
        """Return all jobs that are ours, oldest first, and remove what a crash has left."""
        self._files.make_folder(self.path)
        names = self._files.names(self.path)
        ours = {name[:-5] for name in names if name.endswith(".json")}
        for name in names:
            id, _, kind = name.rpartition(".")
            if id not in ours and kind in (*_BESIDE, *_TRANSIENT):
                self._remove(id, (kind,))
        return self._read_jobs(ours)

    def read_all(self) -> list[Job]:
        """Return all jobs that are ours, oldest first, from outside the running server."""
        names = self._files.names(self.path)
        return self._read_jobs(name[:-5] for name in names if name.endswith(".json"))

    def _read_jobs(self, ids: Iterable[str]) -> list[Job]:
        jobs = [job for job in map(self._read, ids) if job is not None]
        return sorted(jobs, key=lambda job: job.created)

    def _read(self, id: str) -> Job | None:
        """Return a job; None where its files cannot be read, which then stay for the operator."""
        path = self._path(id, "json")
        try:
            job = decode(self._files.read(path, MAX_DESCRIPTION) or b"")
            if job.id != id:
                raise ValueError(f"it describes the job {job.id}")
            self.blob(id)
        except (OSError, ValueError) as error:
            if self._is_there(path):  # and was not removed while it was read from outside
                self._report_fault(path, error)
            return None
        return job

    def _is_there(self, path: str) -> bool:
        try:
            return self._files.read(path, 1) is not None
        except OSError:
            return True

    def update(self, job: Job) -> None:
        """Put a job's new description in the place of the old one, durably."""
        self._files.replace(self._path(job.id, "json"), encode(job))

    def remove(self, id: str) -> None:
        """Remove a job: its description first, so that no half of it comes back."""
        self._remove(id, ("json",))
        self._files.sync_folder(self.path)
        self._remove(id, _BESIDE)

    def take(self, job: Job, other: "QueueFolder") -> None:
        """Make a job of another folder ours, durably; it stays the other's too, until it is removed.

        Both folders are on one file system.
        """
        self._files.make_folder(self.path)
        with suppress(FileExistsError):  # an earlier attempt got this far
            self._files.link(other._path(job.id, "mail"), self._path(job.id, "mail"))
        self.update(job)

    def blob(self, id: str) -> Blob:
        """Return the message of a job."""
        return self._files.blob(self._path(id, "mail"))

    # ------------------------------------------------------------ progress and decisions

    def done(self, id: str) -> set[int]:
        """Return the numbers of the members who have their copy of a list's job."""
        data = self._files.read(self._path(id, "done"), _MAX_DONE) or b""
        lines = data.split(b"\n")[:-1]  # the last may be torn
        return {int(line) for line in lines if line.isdigit()}

    def note_done(self, id: str, numbers: Iterable[int]) -> None:
        """Note durably that these members have their copy of a list's job."""
        lines = "".join(f"{number}\n" for number in numbers)
        self._files.append(self._path(id, "done"), lines.encode())

    def pending_decisions(self) -> list[tuple[str, str]]:
        """Return the decisions about held jobs: id, and ``APPROVE`` or ``REJECT``."""
        names = (name.rpartition(".") for name in self._files.names(self.path))
        return [(id, kind) for id, _, kind in names if kind in (APPROVE, REJECT)]

    def decide(self, id: str, decision: str) -> None:
        """Record a decision about a held job, for the running server."""
        self._files.write(self._path(id, decision), ())
        self._files.sync_folder(self.path)

    def remove_decision(self, id: str, decision: str) -> None:
        """Forget a decision that has been applied."""
        self._remove(id, (decision,))

    # ------------------------------------------------------------ files

    def _path(self, id: str, kind: str) -> str:
        return os.path.join(self.path, f"{id}.{kind}")

    def _remove(self, id: str, kinds: Sequence[str]) -> None:
        for kind in kinds:
            self._files.remove(self._path(id, kind))
