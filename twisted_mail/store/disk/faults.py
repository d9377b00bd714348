"""What an error of the disk or of a database means to a client, and that the operator hears of it.

This is the one way from such an error to the answer that a peer gets: the answer hides the cause, so
the cause is reported before.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from twisted_mail.interfaces import FaultReport, unreported
from twisted_mail.mail.outcome import Outcome, Unavailable

DiskError = OSError | apsw.Error

# The process or the whole file system is short of something: no file is to blame.
_OF_ALL = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EROFS}
)


def is_of_one_file(error: OSError) -> bool:
    """Return whether other files may be fine: then one bad file stops nobody from using those."""
    return error.errno not in _OF_ALL


def give_name(error: OSError, path: bytes) -> None:
    """Let an error that names no file name this one, as the error of opening it would.

    The log has the name of an error, and otherwise only the folder of the account.
    """
    if error.filename is None:
        error.filename = path


class DiskFaults:
    """Reports errors, and turns them into answers. For any thread."""

    def __init__(self, report: FaultReport = unreported) -> None:
        self._report = report

    def note(self, where: bytes, error: Exception) -> None:
        """Report an error that is worked around; ``where`` is a path."""
        self._report(os.fsdecode(where), error)

    def unavailable(self, where: bytes, error: DiskError) -> Unavailable:
        """Report an error; return the answer to it."""
        self.note(where, error)
        return answer_to(error)

    @contextmanager
    def converted(self, where: bytes) -> Iterator[None]:
        """Turn what the disk and the index raise into Unavailable."""
        try:
            yield
        except (OSError, apsw.Error) as error:
            raise self.unavailable(where, error) from error


UNREPORTED = DiskFaults()


def answer_to(error: DiskError) -> Unavailable:
    """Return the answer to what the disk or the index raised. It names neither."""
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EDQUOT:
        outcome = Outcome(452, "4.3.1", "The account's share of the disk is used up.")
        return Unavailable(outcome, "OVERQUOTA")
    if number == errno.ENOSPC or isinstance(error, apsw.FullError):
        return Unavailable(Outcome(452, "4.3.1", "There is no room on the disk now."))
    return Unavailable("The mail store has trouble; try again later.")
