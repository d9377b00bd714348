r"""The file ``special-use`` of an account (RFC 6154): lines ``\Sent .Sent``."""

import os
from collections.abc import Container, Iterable, Mapping

from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import exists, read_file, replace_file
from twisted_mail.store.format import layout


def write(uses: Mapping[str, str]) -> bytes:
    """Return the contents of the file for the uses of mailboxes, by name."""
    lines = sorted(
        b"%s %s\n" % (use.encode(), layout.folder_name(name)) for name, use in uses.items() if use
    )
    return b"".join(lines)


class SpecialUses:
    """Which mailbox of an account has which special use, as its file at ``path`` says."""

    def __init__(self, disk: Disk, account: bytes) -> None:
        self._disk = disk
        self.path = os.path.join(account, b"special-use")

    @property
    def are_written(self) -> bool:
        """Return whether there is a file, which need not be readable."""
        return exists(self._disk, self.path)

    def read(self) -> dict[str, str]:
        """Return the special uses by the names of mailboxes."""
        found: dict[str, str] = {}
        for line in (read_file(self._disk, self.path) or b"").split(b"\n"):
            use, _, coded = line.partition(b" ")
            name = layout.mailbox_name(coded) if coded else None
            if name is not None:
                found[name] = use.decode("ascii", "replace")
        return found

    def write(self, uses: Mapping[str, str]) -> None:
        """Replace the file, durably."""
        replace_file(self._disk, self.path, write(uses))

    def add(self, added: dict[str, str], there: Container[str]) -> None:
        """Add the uses of mailboxes that will be made, and drop those of mailboxes that are not there.

        Those were about to be made, or just deleted, when something failed.
        """
        uses = self.read()
        wanted = {name: use for name, use in uses.items() if name in there} | added
        wanted = {name: use for name, use in wanted.items() if use}
        if wanted != uses:
            self.write(wanted)

    def carry(self, pairs: Iterable[tuple[str, str]], there: Container[str]) -> None:
        """Give new names the uses of old ones, which keep them for now."""
        uses = self.read()
        self.add({new: uses.get(old, "") for old, new in pairs}, there)
