"""Bodies of messages: small ones are rows of the database, large ones files."""

import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from zlib import crc32

from twisted_mail.interfaces import DurableFiles
from twisted_mail.mail.message import Blob, MemoryBlob, Message
from twisted_mail.queue.spool.rows import BodySum, DamagedRow

FOLDER = "bodies"
INLINE = 32 * 1024  # octets up to which a body is in the database
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


@dataclass(frozen=True, slots=True)
class StoredBody:
    """A body as its row has it: its octets, or None where it is a file, which is synced."""

    sum: BodySum
    data: bytes | None


class BodyFolder:
    """The bodies that are files, each named after its job. Methods block; they raise OSError."""

    def __init__(self, folder: str, files: DurableFiles, inline: int = INLINE) -> None:
        self.path = os.path.join(folder, FOLDER)
        self._files = files
        self._inline = inline

    def make(self) -> None:
        """Make the folder where it is missing."""
        self._files.make_folder(self.path)

    def is_large(self, message: Message) -> bool:
        """Return whether a body is to be a file."""
        return message.blob.size > self._inline

    def store(self, id: str, message: Message) -> StoredBody:
        """Write a body, as a file where it is large: then file and name are synced on return.

        The file that a large message is in already gets a name, and is not copied. Raises
        FileExistsError, with nothing done, where there is a file of this job.
        """
        if not self.is_large(message):
            data = b"".join(message.blob.pieces())
            return StoredBody(BodySum(crc32(data, crc32(message.prefix)), is_file=False), data)
        path = self._path(id)
        if self._files.read(path, 1) is not None:
            raise FileExistsError(errno.EEXIST, "there is a body with this id", path)
        try:
            checksum = self._write(path, message)
            self._files.sync_folder(self.path)
        except FileExistsError:  # it came this moment, and is another's
            raise
        except BaseException:
            with suppress(OSError):  # who has this id next does it, or the next start
                self._files.remove(path)
            raise
        return StoredBody(BodySum(checksum, is_file=True), None)

    def require(self, id: str) -> None:
        """Raise FileNotFoundError unless there is a file of this job: damage may have set it aside."""
        path = self._path(id)
        if self._files.read(path, 1) is None:
            raise FileNotFoundError(errno.ENOENT, "the body was set aside", path)

    def _write(self, path: str, message: Message) -> int:
        """Make the file of a body; return the checksum."""
        sum_ = RunningSum(message.prefix)
        if self._files.adopt(message.blob, path):
            sum_.add(message.blob.pieces())
        else:
            self._files.write(path, sum_.passing(message.blob.pieces()))
        return sum_.value

    def read(self, id: str, prefix: bytes, data: bytes | None, expected: BodySum) -> Blob:
        """Return a body, all of which was compared with its checksum. Raises DamagedRow, OSError."""
        if expected.is_file:
            try:
                blob = self._files.blob(self._path(id))
            except FileNotFoundError as error:
                raise DamagedRow("the file of its body is gone") from error
        else:
            blob = MemoryBlob(data or b"")
        try:
            sum_ = RunningSum(prefix)
            sum_.add(blob.pieces())
            if sum_.value != expected.checksum:
                raise DamagedRow("the checksum is not that of the body")
        except BaseException:
            blob.close()
            raise
        return blob

    def remove(self, ids: Iterable[str]) -> None:
        """Remove the files of jobs that are gone; a crash before that is made good by ``sweep``."""
        for id in ids:
            self._files.remove(self._path(id))

    def sweep(self, is_needed: Callable[[str], bool]) -> None:
        """Remove the files of no job."""
        for name in self._files.names(self.path):
            if not is_needed(name):
                self._files.remove(os.path.join(self.path, name))

    def set_aside(self, folder: str, is_needed: Callable[[str], bool]) -> None:
        """Put the files of no job into another folder, for people to look at."""
        left = [name for name in self._files.names(self.path) if not is_needed(name)]
        if left:
            self._files.make_folder(folder)
        for name in left:
            self._files.rename(os.path.join(self.path, name), os.path.join(folder, name))

    def _path(self, id: str) -> str:
        if not _SAFE_ID.fullmatch(id):
            raise ValueError(f"a job cannot have the id {id!r}")
        return os.path.join(self.path, id)


class RunningSum:
    """A checksum of octets that come in pieces, after those of ``prefix``."""

    def __init__(self, prefix: bytes) -> None:
        self.value = crc32(prefix)

    def add(self, pieces: Iterable[bytes]) -> None:
        """Add all pieces."""
        for piece in pieces:
            self.value = crc32(piece, self.value)

    def passing(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the pieces, and add each."""
        for piece in pieces:
            self.value = crc32(piece, self.value)
            yield piece
