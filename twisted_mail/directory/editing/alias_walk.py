"""Where aliases lead, followed as mail is: what a delivery could never do is known before there is any.

``delivery/expansion.py`` follows recipients by the same rules; tests compare the two.
"""

from collections.abc import Iterator
from typing import NamedTuple

from twisted_mail.directory.tables import Tables, read_target
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.directory_entry import (
    MAX_ALIAS_ADDRESSES,
    MAX_ALIAS_DEPTH,
    catch_all_address,
    subaddress_splits,
)
from twisted_mail.mail.mailing_list_definition import ListRole, parse_role


class _Entry(NamedTuple):
    """What takes the mail of an address: its key, whether the way ends there, and where it leads."""

    key: str
    is_end: bool
    targets: tuple[Address, ...] = ()


class AliasWalk:
    """Follows aliases in the tables, within the transaction of whoever asks."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def fault(self, start: Address) -> str:
        """Return why mail for an alias cannot be delivered, whatever comes; empty if it can."""
        seen, level, has_end = set[Address](), [start], False
        for depth in range(MAX_ALIAS_DEPTH + 1):
            following: dict[Address, None] = {}
            for address in level:
                entry = self._entry(address)
                if depth and entry.key == start.key:
                    return f"leads to itself through {address}"
                has_end |= entry.is_end
                following |= dict.fromkeys(one for one in entry.targets if one not in seen)
            seen.update(following)
            if len(seen) > MAX_ALIAS_ADDRESSES:
                return f"leads to more than {MAX_ALIAS_ADDRESSES} addresses"
            if not following:
                return "" if has_end else "leads to nobody"
            level = list(following)
        return f"is the start of more than {MAX_ALIAS_DEPTH} aliases in a row"

    def leading_to(self, address: Address) -> list[Address]:
        """Return the aliases that lead to an alias, in one or more steps.

        Those that do so by an address that nobody has, or by the owners of a list, are left out.
        """
        found: dict[Address, None] = {}
        waiting = [address]
        while waiting:
            for before in self._just_before(waiting.pop()):
                if before not in found and before.key != address.key:
                    found[before] = None
                    waiting.append(before)
        return list(found)

    def _just_before(self, address: Address) -> Iterator[Address]:
        """Yield the aliases with an address as their target, with a detail or without."""
        query = self._tables.connection.execute
        for key in self._tables.keys(address):
            rows = list(query("SELECT address FROM alias WHERE target_key = ?", (key,)))
            local, _, domain = key.rpartition("@")
            for separator in self._tables.separators:
                first, last = f"{local}{separator}", f"{local}{chr(ord(separator) + 1)}"
                rows += [
                    (text,)
                    for text, target in query(
                        "SELECT address, target_key FROM alias"
                        " WHERE target_key >= ? AND target_key < ?",
                        (first, last),
                    )
                    if target.endswith(f"@{domain}")
                ]
            yield from (_source(text) for (text,) in rows)

    # ------------------------------------------------------------ one address

    def _entry(self, address: Address) -> _Entry:
        """Return what takes the mail of an address, as the router looks for it."""
        if self._tables.home(address.domain) is None:
            return _Entry("", is_end=True)
        home = self._tables.at_home(address)
        return self._at(home) or self._of_role(home) or self._fallback(home)

    def _at(self, address: Address) -> _Entry | None:
        """Return what is at the very address."""
        occupant = self._tables.occupant(address)
        if occupant != "an alias":
            return _Entry(address.key, is_end=True) if occupant else None
        targets = [read_target(text) for _, text in self._tables.targets(address.key)]
        addresses = tuple(one for one in targets if isinstance(one, Address))
        return _Entry(address.key, len(addresses) < len(targets), addresses)

    def _of_role(self, address: Address) -> _Entry | None:
        """Return where the other addresses of a list lead."""
        role = parse_role(address.local)
        name = self._tables.list_name(Address(role[0], address.domain)) if role else None
        if role is None or name is None:
            return None
        if role[1] is not ListRole.OWNER:
            return _Entry(address.key, is_end=True)
        owners = self._tables.list_owners(parse(name))
        return _Entry(address.key, False, owners or (Address("postmaster", address.domain),))

    def _fallback(self, address: Address) -> _Entry:
        """Return what is before a separator, else what takes the rest of a domain's mail."""
        users = subaddress_splits(address.local, self._tables.separators)
        for local in (*(user for user, _ in users), catch_all_address(address.domain).local):
            found = self._at(Address(local, address.domain))
            if found is not None:
                return found
        postmaster = self._tables.postmaster_for(address)
        return _Entry("", is_end=False, targets=(postmaster,) if postmaster else ())


def _source(text: str) -> Address:
    return catch_all_address(text[1:]) if text.startswith("@") else parse(text)
