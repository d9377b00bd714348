"""What tests of blobs and of the spool ask for."""

import os

from twisted_mail.store.disk.spool import SpoolWriter
from twisted_mail.testing.doubles import InlineBlocking

SMALL = 100


class FailingBlocking(InlineBlocking):
    """A door behind which the disk fails when told to."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.done = 0

    async def run(self, work, *args, **kwargs):
        if self.error is not None:
            raise self.error
        self.done += 1
        return work(*args, **kwargs)


def content(found) -> bytes:
    return b"".join(found.pieces())


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def file_of(writer: SpoolWriter) -> int:
    with writer._file.use() as number:
        return number
