"""The folder in which an earlier version kept its jobs.

| file | what it is |
| --- | --- |
| ``ID.mail`` | the message, trace fields in front |
| ``ID.json`` | the description of a job |
| ``ID.done`` | numbers of the members of a list who have their copy, one on a line |
| ``ID.approve``, ``ID.reject`` | a moderator's decision about a job that is held |
| ``ID.new``, ``ID.tmp`` | what was never promised |

Dead letters are in a folder of their own inside, which looks the same. All methods may block, and raise
OSError.
"""

import os
from collections.abc import Sequence

from twisted_mail.interfaces import DurableFiles, FaultReport, unreported
from twisted_mail.mail.message import Blob
from twisted_mail.queue.takeover.waiting_job import MAX_DESCRIPTION, WaitingJob, decode

WAITING_FOLDER = "waiting"  # its name in the state folder
DEAD_FOLDER = "dead"  # that of the dead letters in it
APPROVE, REJECT = "approve", "reject"  # what a moderator may have decided about a held job
_MAX_DONE = 64 * 1024 * 1024  # octets of the numbers of members
_BESIDE = ("mail", "done", APPROVE, REJECT)  # the files that a job may have with its description
_NEVER_OURS = ("new", "tmp")


class WaitingFolder:
    """One such folder. A job that cannot be read is reported, and stays where it is."""

    def __init__(
        self, path: str, files: DurableFiles, report_fault: FaultReport = unreported
    ) -> None:
        self.path = path
        self._files = files
        self._report_fault = report_fault

    def read_all(self) -> list[WaitingJob]:
        """Return all jobs that can be read, oldest first."""
        names = self._files.names(self.path)
        read = [self._read(name[:-5]) for name in names if name.endswith(".json")]
        return sorted((job for job in read if job is not None), key=lambda job: job.created)

    def _read(self, id: str) -> WaitingJob | None:
        path = self._path(id, "json")
        try:
            job = decode(self._files.read(path, MAX_DESCRIPTION) or b"")
            if job.id != id:
                raise ValueError(f"it describes the job {job.id}")
            self.blob(id).close()
        except (OSError, ValueError) as error:
            self._report_fault(path, error)
            return None
        return job

    def blob(self, id: str) -> Blob:
        """Return the message of a job."""
        return self._files.blob(self._path(id, "mail"))

    def done(self, id: str) -> frozenset[int]:
        """Return the numbers of the members who have their copy of a list's job."""
        data = self._files.read(self._path(id, "done"), _MAX_DONE) or b""
        lines = data.split(b"\n")[:-1]  # the last may be torn
        return frozenset(int(line) for line in lines if line.isdigit())

    def decision(self, id: str) -> str:
        """Return what was decided about a held job: ``APPROVE``, ``REJECT`` or the empty text."""
        for word in (REJECT, APPROVE):
            if self._files.read(self._path(id, word), 1) is not None:
                return word
        return ""

    def remove(self, ids: Sequence[str]) -> None:
        """Remove jobs, durably: their descriptions first, so that no half of one comes back."""
        for id in ids:
            self._files.remove(self._path(id, "json"))
        self._files.sync_folder(self.path)
        for id in ids:
            self._remove(id, _BESIDE)

    def sweep(self) -> None:
        """Remove what belongs to no job: a crash has left it."""
        names = self._files.names(self.path)
        ours = {name[:-5] for name in names if name.endswith(".json")}
        for name in names:
            id, _, kind = name.rpartition(".")
            if id not in ours and kind in (*_BESIDE, *_NEVER_OURS):
                self._remove(id, (kind,))

    def _path(self, id: str, kind: str) -> str:
        return os.path.join(self.path, f"{id}.{kind}")

    def _remove(self, id: str, kinds: Sequence[str]) -> None:
        for kind in kinds:
            self._files.remove(self._path(id, kind))


def unreadable_jobs(path: str, files: DurableFiles) -> list[tuple[str, Exception]]:
    """Return the files of jobs that could not be taken over, and why not."""
    found: list[tuple[str, Exception]] = []
    for folder in (path, os.path.join(path, DEAD_FOLDER)):
        WaitingFolder(folder, files, lambda where, error: found.append((where, error))).read_all()
    return sorted(found, key=lambda one: one[0])
