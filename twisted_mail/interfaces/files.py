"""Files that last."""

from collections.abc import Iterable
from typing import Protocol

from twisted_mail.mail.message import Blob


class DurableFiles(Protocol):
    """Files of the server's own, by their paths. All methods block; they raise OSError."""

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        """Write a file, new or not, and sync its octets; its name may not last yet."""

    def replace(self, path: str, data: bytes) -> None:
        """Put new contents in the place of a file, durably: afterwards all is new, or all old.

        What a crash may leave behind has the name ``path`` and ``.new``.
        """

    def append(self, path: str, data: bytes) -> None:
        """Write at the end of a file, which is made when it is not there, and sync its octets."""

    def read(self, path: str, limit: int) -> bytes | None:
        """Return the first ``limit`` octets of a file, or None where there is none."""

    def blob(self, path: str) -> Blob:
        """Return a file as a blob, which closing does not remove.

        It can be read to its end even if the file is removed meanwhile, unless very many are in use.
        """

    def adopt(self, blob: Blob, path: str) -> bool:
        """Give the file that a blob is in a name, and sync its octets; the name may not last yet.

        Returns False, with nothing done, where the blob is in no file, or in one of another file system.
        The blob stays its owner's. Raises FileExistsError.
        """

    def room(self, folder: str) -> tuple[int, int]:
        """Return how many octets and how many files (inodes) a file system has room for.

        One without a number of files of its own has room for as many as anybody may ask.
        """

    def link(self, path: str, new_path: str) -> None:
        """Give a file another name. Raises FileExistsError."""

    def rename(self, path: str, new_path: str) -> None:
        """Rename a file, replacing what has the new name; durable with ``sync_folder``."""

    def remove(self, path: str) -> None:
        """Remove a file; harmless when it is not there. Durable with ``sync_folder``."""

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, in no order: none where it is not there."""

    def make_folder(self, folder: str) -> None:
        """Make a folder and those above it, durably, where they are missing."""

    def sync_folder(self, folder: str) -> None:
        """Wait until the names in a folder are on disk."""
