"""Mailboxes whose folders cannot be used, so that work on a whole account goes on without them."""

from typing import NamedTuple

from twisted_mail.interfaces import Clock

RETRY_SECONDS = 60.0  # after which a folder that could not be used is tried again


class FolderUnusable(Exception):
    """One of several folders could not be used: the work is to be done again, without it."""


class _Trouble(NamedTuple):
    until: float
    error: OSError


class UnusableFolders:
    """The folders of one account that could not be used a moment ago, and why."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._found: dict[bytes, _Trouble] = {}

    def add(self, coded: bytes, error: OSError) -> None:
        """Have a folder passed over for a while."""
        self._found[coded] = _Trouble(self._clock.monotonic() + RETRY_SECONDS, error)

    def __contains__(self, coded: bytes) -> bool:
        found = self._found.get(coded)
        if found is not None and self._clock.monotonic() >= found.until:
            del self._found[coded]
            return False
        return found is not None

    def errors(self) -> dict[bytes, OSError]:
        """Return the errors of the folders that are passed over now."""
        return {coded: self._found[coded].error for coded in list(self._found) if coded in self}
