"""What the directory's file has under an address, read with one connection in one thread."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import apsw

from twisted_mail.directory.tables import read_target
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.directory_entry import NO_ENTRY, DirectoryEntry

MAX_MEMBERS = 1000  # of a list that are read


@dataclass(frozen=True, slots=True)
class AddressRecord:
    """All that the directory has under one address, for logins too."""

    entry: DirectoryEntry = NO_ENTRY
    hash: str | None = field(default=None, repr=False)
    may_send_as: frozenset[str] = frozenset()  # keys


class RecordReader:
    """Reads the tables; ``extra_domains`` are ours besides those in the file. Raises apsw.Error."""

    def __init__(self, connection: apsw.Connection, extra_domains: Iterable[str]) -> None:
        self._connection = connection
        self._extra_domains = frozenset(domain.lower() for domain in extra_domains)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def read_homes(self) -> dict[str, str]:
        """Return all domains of ours with the domain each stands for, mostly itself."""
        names = {name for (name,) in self._connection.execute("SELECT name FROM domain")}
        names |= self._extra_domains
        aliases = self._connection.execute("SELECT name, target FROM domain_alias")
        homes = {name: target for name, target in aliases if target in names}
        return homes | {name: name for name in names}

    def read_record(self, key: str) -> AddressRecord:
        """Return all that is under the address with a key."""
        row: tuple[str, str, int, int]
        for row in self._connection.execute(
            "SELECT address, hash, is_enabled, created FROM account WHERE key = ?", (key,)
        ):
            account, stored, is_enabled, created = row
            entry = DirectoryEntry(account, is_enabled=bool(is_enabled), made_at=created)
            return AddressRecord(entry, stored, self._read_grants(key))
        return AddressRecord(self._read_alias(key) or self._read_list(key) or NO_ENTRY)

    def _read_grants(self, key: str) -> frozenset[str]:
        rows = self._connection.execute("SELECT key FROM may_send_as WHERE account = ?", (key,))
        return frozenset(granted for (granted,) in rows)

    def _read_alias(self, key: str) -> DirectoryEntry | None:
        rows = self._connection.execute(
            "SELECT target FROM alias WHERE key = ? ORDER BY position", (key,)
        )
        targets = [read_target(text) for (text,) in rows]
        if not targets:
            return None
        return DirectoryEntry(
            targets=tuple(one for one in targets if isinstance(one, Address)),
            programs=tuple(one for one in targets if isinstance(one, str)),
        )

    def _read_list(self, key: str) -> DirectoryEntry | None:
        for (name,) in self._connection.execute("SELECT address FROM list WHERE key = ?", (key,)):
            owners = self._connection.execute(
                "SELECT address FROM list_owner WHERE list = ? ORDER BY position", (key,)
            )
            return DirectoryEntry(list=name, owners=tuple(parse(text) for (text,) in owners))
        return None

    def read_members(self, key: str) -> list[str]:
        """Return the addresses of members of a list who are not suspended, at most 1000."""
        rows = self._connection.execute(
            "SELECT address FROM list_member WHERE list = ? AND suspended = 0"
            " ORDER BY number LIMIT ?",
            (key, MAX_MEMBERS),
        )
        return [text for (text,) in rows]

    def replace_hash(self, name: str, old: str, new: str) -> None:
        """Give an account a new hash, unless the old one has been replaced already."""
        self._connection.execute(
            "UPDATE account SET hash = ? WHERE key = ? AND hash = ?",
            (new, parse(name).key, old),
        )
