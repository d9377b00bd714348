"""Editing the domains."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from twisted_mail.directory.tables import Tables, to_domain
from twisted_mail.mail.outcome import Refused


@dataclass(frozen=True, slots=True)
class DomainRow:
    """One domain, what is in it, and whether it is in the configuration file instead.

    ``other_names`` are the domains whose every local part is that of this one.
    """

    name: str
    accounts: int
    aliases: int
    is_configured: bool
    lists: int = 0
    other_names: tuple[str, ...] = ()


class Domains:
    """The domains whose mail is kept here. Methods raise Refused and Unavailable."""

    def __init__(self, tables: Tables, now: Callable[[], float] = time.time) -> None:
        self._tables = tables
        self._now = now

    def all(self) -> list[DomainRow]:
        """Return the domains, sorted; other names stand with the domain they stand for."""
        query = self._tables.connection.execute
        kept = {name for (name,) in query("SELECT name FROM domain")}
        accounts = dict(query("SELECT domain, count(*) FROM account GROUP BY domain"))
        aliases = dict(query("SELECT domain, count(DISTINCT key) FROM alias GROUP BY domain"))
        lists = dict(query("SELECT domain, count(*) FROM list GROUP BY domain"))
        others: dict[str, list[str]] = {}
        for name, target in query("SELECT name, target FROM domain_alias ORDER BY name"):
            others.setdefault(target, []).append(name)
        return [
            DomainRow(
                name,
                accounts.get(name, 0),
                aliases.get(name, 0),
                name not in kept,
                lists.get(name, 0),
                tuple(others.get(name, ())),
            )
            for name in sorted(kept | self._tables.extra_domains)
        ]

    def add(self, text: str) -> str:
        """Add a domain; return its normal form."""
        name = to_domain(text)
        with self._tables.transaction() as connection:
            self._check_free(name)
            connection.execute("INSERT INTO domain VALUES (?, ?)", (name, int(self._now())))
        return name

    def add_name(self, text: str, target: str) -> tuple[str, str]:
        """Give a domain another name; return the normal forms of both."""
        name, home = to_domain(text), to_domain(target)
        with self._tables.transaction() as connection:
            self._check_free(name)
            if not self._tables.is_ours(home):
                if (other := self._tables.alias_of(home)) is not None:
                    raise Refused(f"{home} is another name itself: name {other}")
                raise Refused(f"there is no domain {home}")
            connection.execute(
                "INSERT INTO domain_alias VALUES (?, ?, ?)", (name, home, int(self._now()))
            )
        return name, home

    def _check_free(self, name: str) -> None:
        if self._tables.is_ours(name):
            raise Refused(f"the domain {name} is there already")
        if (target := self._tables.alias_of(name)) is not None:
            raise Refused(f"{name} is another name of {target}: remove it first")

    def remove(self, text: str) -> str:
        """Remove another name, or a domain without addresses; return its normal form."""
        name = to_domain(text)
        with self._tables.transaction() as connection:
            connection.execute("DELETE FROM domain_alias WHERE name = ?", (name,))
            if not connection.changes():
                self._check_removable(name)
                connection.execute("DELETE FROM domain WHERE name = ?", (name,))
        return name

    def _check_removable(self, name: str) -> None:
        tables = self._tables
        if not tables.count("SELECT count(*) FROM domain WHERE name = ?", name):
            if tables.is_ours(name):
                raise Refused(f"the domain {name} stands in the configuration file")
            raise Refused(f"there is no domain {name}")
        if name in tables.extra_domains:
            return
        accounts = tables.count("SELECT count(*) FROM account WHERE domain = ?", name)
        aliases = tables.count("SELECT count(DISTINCT key) FROM alias WHERE domain = ?", name)
        lists = tables.count("SELECT count(*) FROM list WHERE domain = ?", name)
        if accounts or aliases or lists:
            raise Refused(
                f"{name} still has accounts ({accounts}), aliases ({aliases}) or lists ({lists})"
            )
        if others := tables.count("SELECT count(*) FROM domain_alias WHERE target = ?", name):
            raise Refused(f"{name} still has other names ({others})")
