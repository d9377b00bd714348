"""Editing the domains."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from twisted_mail.directory.tables import Tables, to_domain
from twisted_mail.mail.outcome import Refused


@dataclass(frozen=True, slots=True)
class DomainRow:
    """One domain, what lives in it, and whether it stands in the configuration file instead."""

    name: str
    accounts: int
    aliases: int
    is_configured: bool


class Domains:
    """The domains whose mail is kept here. Methods raise Refused and Unavailable."""

    def __init__(self, tables: Tables, now: Callable[[], float] = time.time) -> None:
        self._tables = tables
        self._now = now

    def all(self) -> list[DomainRow]:
        """Return the domains, sorted."""
        query = self._tables.connection.execute
        kept = {name for (name,) in query("SELECT name FROM domain")}
        accounts = dict(query("SELECT domain, count(*) FROM account GROUP BY domain"))
        aliases = dict(query("SELECT domain, count(DISTINCT key) FROM alias GROUP BY domain"))
        return [
            DomainRow(name, accounts.get(name, 0), aliases.get(name, 0), name not in kept)
            for name in sorted(kept | self._tables.extra_domains)
        ]

    def add(self, text: str) -> str:
        """Add a domain; return its normal form."""
        name = to_domain(text)
        with self._tables.writing() as connection:
            if self._tables.is_ours(name):
                raise Refused(f"the domain {name} is there already")
            connection.execute("INSERT INTO domain VALUES (?, ?)", (name, int(self._now())))
        return name

    def remove(self, text: str) -> str:
        """Remove a domain where nobody lives any more; return its normal form."""
        name = to_domain(text)
        with self._tables.writing() as connection:
            if not self._tables.count("SELECT count(*) FROM domain WHERE name = ?", name):
                if self._tables.is_ours(name):
                    raise Refused(f"the domain {name} stands in the configuration file")
                raise Refused(f"there is no domain {name}")
            accounts = self._tables.count("SELECT count(*) FROM account WHERE domain = ?", name)
            aliases = self._tables.count(
                "SELECT count(DISTINCT key) FROM alias WHERE domain = ?", name
            )
            if (accounts or aliases) and name not in self._tables.extra_domains:
                raise Refused(f"{name} still has accounts ({accounts}) or aliases ({aliases})")
            connection.execute("DELETE FROM domain WHERE name = ?", (name,))
        return name
