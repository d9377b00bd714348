"""Editing the aliases."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from twisted_mail.directory.editing.alias_walk import AliasWalk
from twisted_mail.directory.tables import Tables, read_target, to_address, to_domain
from twisted_mail.mail.address import Address
from twisted_mail.mail.directory_entry import MAX_ALIAS_ADDRESSES, catch_all_address
from twisted_mail.mail.outcome import Refused


@dataclass(frozen=True, slots=True)
class AliasRow:
    """One alias with its targets, in order; ``@domain`` takes the mail for all other addresses.

    A target is an address, or ``|name`` for a program of the configuration.
    """

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
        address = _to_source(text)
        with self._tables.transaction():
            self._tables.check_domain(address)
            occupant = self._tables.occupant(address)
            if occupant not in ("", "an alias"):
                raise Refused(f"{address} is {occupant}")
            kept = self._tables.targets(address.key)
            spelling = kept[0][0] if kept else _written(address)
            added = [self._target(target) for target in targets]
            for target in added:
                if isinstance(target, Address):
                    self._check_target(target)
            self._insert_targets(address, spelling, added)
            row = self._alias(address)
            if len(row.targets) > MAX_ALIAS_ADDRESSES:
                raise Refused(f"an alias has at most {MAX_ALIAS_ADDRESSES} targets")
            self._check_ways(address)
            return row

    def remove(self, text: str, targets: Sequence[str] = ()) -> AliasRow:
        """Remove an alias, or some of its targets; return what is left of it."""
        address = self._tables.at_home(_to_source(text))
        with self._tables.transaction():
            kept = self._kept(address)
            if not kept:
                raise Refused(f"there is no alias {_written(address)}")
            gone = {_key(self._target(target)) for target in targets} or {*kept}
            if unknown := gone - kept.keys():
                raise Refused(f"{_written(address)} does not lead to {', '.join(sorted(unknown))}")
            self._delete(address, [key for target in gone for key in kept[target]])
            return self._alias(address)

    def _kept(self, address: Address) -> dict[str, list[str]]:
        """Return the keys of an alias's targets as they are kept, by those of the same at home.

        An earlier release kept a target in another name of its domain as it was written.
        """
        kept: dict[str, list[str]] = {}
        for _, target in self._tables.targets(address.key):
            kept.setdefault(_key(self._target(target)), []).append(_key(_to_target(target)))
        return kept

    def _delete(self, address: Address, target_keys: Sequence[str]) -> None:
        self._tables.connection.executemany(
            "DELETE FROM alias WHERE key = ? AND target_key = ?",
            ((address.key, target_key) for target_key in target_keys),
        )

    def _target(self, text: str) -> Address | str:
        """Read where an alias leads: an address in the domain where it lives, or a program."""
        target = _to_target(text)
        return self._tables.at_home(target) if isinstance(target, Address) else target

    def _alias(self, address: Address) -> AliasRow:
        kept = self._tables.targets(address.key)
        name = kept[0][0] if kept else _written(address)
        return AliasRow(name, tuple(target for _, target in kept))

    def _insert_targets(
        self, address: Address, spelling: str, targets: Sequence[Address | str]
    ) -> None:
        key = address.key
        first = self._tables.count(
            "SELECT ifnull(max(position), -1) + 1 FROM alias WHERE key = ?", key
        )
        self._tables.connection.executemany(
            "INSERT OR IGNORE INTO alias VALUES (?, ?, ?, ?, ?, ?)",
            (
                (key, _key(target), first + at, spelling, address.domain, _text(target))
                for at, target in enumerate(targets)
            ),
        )

    def _check_target(self, target: Address) -> None:
        if self._tables.is_dangling(target):
            raise Refused(f"there is no account, alias or list {target}")

    def _check_ways(self, address: Address) -> None:
        """Raise Refused when mail for an alias, or for one that leads to it, could never be delivered."""
        walk = AliasWalk(self._tables)
        for one in (address, *walk.leading_to(address)):
            if fault := walk.fault(one):
                raise Refused(f"so {_written(one)} {fault}")

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the aliases whose mail cannot be delivered, and why not."""
        walk = AliasWalk(self._tables)
        for row in self.all():
            targets = [read_target(text) for text in row.targets]
            for target in targets:
                if isinstance(target, Address) and self._tables.is_dangling(target):
                    yield row.address, f"the alias leads to {target}, who is not here"
            if fault := walk.fault(_to_source(row.address)):
                yield row.address, f"the alias {fault}"


def _to_source(text: str) -> Address:
    """Read the address of an alias; ``@domain`` is that of the domain's catch-all."""
    return catch_all_address(to_domain(text[1:])) if text.startswith("@") else to_address(text)


def _to_target(text: str) -> Address | str:
    """Read where an alias leads: an address, or ``|`` and the name of a program."""
    if text.startswith("|") and "@" not in text:
        if not text[1:].strip():
            raise Refused("a program has a name: |name")
        return text[1:]
    return to_address(text)


def _key(target: Address | str) -> str:
    return target.key if isinstance(target, Address) else f"|{target}"


def _text(target: Address | str) -> str:
    return str(target) if isinstance(target, Address) else f"|{target}"


def _written(address: Address) -> str:
    return str(address) if address.local else f"@{address.domain}"
