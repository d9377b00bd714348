"""The name of a file for errors that have none: those of system calls on a descriptor."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def named(path: bytes) -> Iterator[None]:
    """Let an OSError that names no file name this one, as the error of opening it would.

    The log has the name of an error, and otherwise only the folder of the account.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = path
        raise
