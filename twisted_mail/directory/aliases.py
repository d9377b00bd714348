"""Editing the aliases."""

from collections.abc import Sequence
from dataclasses import dataclass

from twisted_mail.directory import schema
from twisted_mail.directory.tables import Tables, to_address, to_domain
from twisted_mail.mail.address import Address
from twisted_mail.mail.outcome import Refused

MAX_TARGETS = 1000  # of one alias; more is a mailing list
MAX_ALIAS_DEPTH = 10


@dataclass(frozen=True, slots=True)
class AliasRow:
    """One alias with its targets, in order."""

    address: str
    targets: tuple[str, ...]


class Aliases:
    """Addresses that lead to others. Methods raise Refused and Unavailable."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def all(self, domain: str = "") -> list[AliasRow]:
        """Return the aliases of one domain, or all, sorted by domain and address."""
        name = to_domain(domain) if domain else None
        rows = self._tables.connection.execute(
            "SELECT address, target FROM alias"
            " WHERE ?1 IS NULL OR domain = ?1 ORDER BY domain, key, position",
            (name,),
        )
        targets: dict[str, list[str]] = {}
        for address, target in rows:
            targets.setdefault(address, []).append(target)
        return [AliasRow(address, tuple(found)) for address, found in targets.items()]

    def add(self, text: str, targets: Sequence[str]) -> AliasRow:
        """Make an alias, or give one more targets; return it as it is now."""
        address = to_address(text)
        with self._tables.writing():
            self._tables.check_domain(address)
            if self._tables.account_name(address) is not None:
                raise Refused(f"{address} is an account")
            kept = self._tables.targets(schema.key(address))
            spelling = kept[0][0] if kept else str(address)
            added = [to_address(target) for target in targets]
            for target in added:
                self._check_target(address, target)
            if len(kept) + len(added) > MAX_TARGETS:
                raise Refused(f"an alias has at most {MAX_TARGETS} targets")
            self._insert_targets(address, spelling, added)
            return self._alias(address)

    def remove(self, text: str, targets: Sequence[str] = ()) -> AliasRow:
        """Remove an alias, or some of its targets; return what is left of it."""
        address = to_address(text)
        key = schema.key(address)
        with self._tables.writing() as connection:
            kept = {schema.key(to_address(target)) for _, target in self._tables.targets(key)}
            if not kept:
                raise Refused(f"there is no alias {address}")
            gone = {schema.key(to_address(target)) for target in targets} or kept
            if unknown := gone - kept:
                raise Refused(f"{address} does not lead to {', '.join(sorted(unknown))}")
            for target_key in gone:
                connection.execute(
                    "DELETE FROM alias WHERE key = ? AND target_key = ?", (key, target_key)
                )
            return self._alias(address)

    def _alias(self, address: Address) -> AliasRow:
        kept = self._tables.targets(schema.key(address))
        name = kept[0][0] if kept else str(address)
        return AliasRow(name, tuple(target for _, target in kept))

    def _insert_targets(self, address: Address, spelling: str, targets: Sequence[Address]) -> None:
        key = schema.key(address)
        first = self._tables.count(
            "SELECT ifnull(max(position), -1) + 1 FROM alias WHERE key = ?", key
        )
        self._tables.connection.executemany(
            "INSERT OR IGNORE INTO alias VALUES (?, ?, ?, ?, ?, ?)",
            (
                (key, schema.key(target), first + at, spelling, address.domain, str(target))
                for at, target in enumerate(targets)
            ),
        )

    def _check_target(self, address: Address, target: Address) -> None:
        if self._tables.is_dangling(target):
            raise Refused(f"there is no account or alias {target}")
        level, seen = {schema.key(target)}, set[str]()
        for _ in range(MAX_ALIAS_DEPTH):
            if schema.key(address) in level:
                raise Refused(f"{address} would lead to itself through {target}")
            seen |= level
            level = {
                schema.key(to_address(text))
                for key in level
                for _, text in self._tables.targets(key)
            } - seen
            if not level:
                return
        raise Refused(f"{target} is the start of more than {MAX_ALIAS_DEPTH} aliases in a row")
