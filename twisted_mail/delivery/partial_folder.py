"""What partial deliveries are remembered of on disk: a folder with a file for each.

A file is never altered, and its name is ``MESSAGE.SET``: which message it is about, and a digest of what
is in it. So processes that share the folder see by the names alone what another one has written. All
functions may block and raise OSError.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from twisted_mail.interfaces import DurableFiles

PARTIAL_FOLDER = "partial"  # its name in the state folder
_MAX_FILE = 8 * 1024 * 1024  # octets: 20,000 names of accounts


@dataclass(frozen=True, slots=True)
class PartialDelivery:
    """The accounts that have a message already; ``until`` when that counts, in seconds since 1970.

    ``names`` are the files that say so: none where none could be written.
    """

    accounts: frozenset[str]
    until: float
    names: frozenset[str] = frozenset()


class PartialFolder:
    """The folder; it is made by the first file."""

    def __init__(self, path: str, files: DurableFiles) -> None:
        self.path = path
        self._files = files

    def names(self) -> dict[str, frozenset[str]]:
        """Return the names of the files there are, by message."""
        found: dict[str, set[str]] = {}
        for name in self._files.names(self.path):
            message, _, rest = name.partition(".")
            if rest and "." not in rest:
                found.setdefault(message, set()).add(name)
        return {message: frozenset(names) for message, names in found.items()}

    def read(self, names: Iterable[str]) -> PartialDelivery:
        """Return what several files about one message say together; what is damaged says nothing."""
        accounts: set[str] = set()
        until, used = 0.0, frozenset(names)
        for name in used:
            data = self._files.read(os.path.join(self.path, name), _MAX_FILE)
            try:
                values = json.loads(data or b"{}")
                accounts.update(sys.intern(str(name)) for name in values["accounts"])
                until = max(until, float(values["until"]))
            except (ValueError, TypeError, KeyError):
                continue
        return PartialDelivery(frozenset(accounts), until, used)

    def write(self, message: str, partial: PartialDelivery) -> PartialDelivery:
        """Write a file, durably, and remove those that it takes the place of."""
        values = {"until": partial.until, "accounts": sorted(partial.accounts)}
        data = json.dumps(values).encode() + b"\n"
        name = f"{message}.{hashlib.sha256(data).hexdigest()[:16]}"
        self._files.make_folder(self.path)
        self._files.replace(os.path.join(self.path, name), data)
        self.remove(partial.names - {name})
        return PartialDelivery(partial.accounts, partial.until, frozenset({name}))

    def remove(self, names: Iterable[str]) -> None:
        """Remove files. What a crash brings back is removed when its time is over."""
        for name in names:
            self._files.remove(os.path.join(self.path, name))
