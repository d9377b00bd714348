"""Providers: whose mail hosts have many names and are one site all the same.

A *site* is what stands behind domains: the names of their most preferred mail hosts. Some give each
customer a name of its own, or spread customers over many names, and count what comes to all of them; a
suffix of host names brings these together. The table that comes with the server is ``providers.toml``; a
``[[provider]]`` of the configuration takes the place of the one of the same name, or is a further one.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from twisted_mail.mail.address import parse_domain

TABLE = Path(__file__).with_name("providers.toml")
MAX_SITE_NAME = 255  # octets; of longer ones the beginning is kept


@dataclass(frozen=True, slots=True)
class Provider:
    """One ``[[provider]]``: the mail hosts below some names are one site.

    A suffix is a domain, for all hosts in it, or a host. ``connections`` are the most at a time, and
    ``messages`` the most over one connection; 0: as for all sites.
    """

    name: str
    suffixes: tuple[str, ...]
    connections: int = 0
    messages: int = 0

    def __post_init__(self) -> None:
        if not self.name or not self.name.isprintable() or " " in self.name:
            raise ValueError("name must be a word")
        if not self.suffixes:
            raise ValueError("suffixes is empty: no mail host would be the provider's")
        for suffix in self.suffixes:
            if not _is_plain_domain(suffix):
                raise ValueError(
                    f"suffixes: {suffix!r} is not a domain in small letters, without a dot in front"
                )

    def has(self, host: str) -> bool:
        """Return whether a mail host is the provider's."""
        return any(host == suffix or host.endswith(f".{suffix}") for suffix in self.suffixes)


def _is_plain_domain(text: str) -> bool:
    try:
        return parse_domain(text) == text
    except ValueError:
        return False


class Providers:
    """The providers that are known: those of the configuration before those of the table."""

    def __init__(self, configured: Sequence[Provider] = ()) -> None:
        names = {one.name for one in configured}
        self._known = [*configured, *(one for one in known_providers() if one.name not in names)]

    def of(self, hosts: Sequence[str]) -> Provider | None:
        """Return the provider of these mail hosts, if all are of the same."""
        return next((one for one in self._known if hosts and all(map(one.has, hosts))), None)


def site_name(hosts: Sequence[str]) -> str:
    """Return the name of the site with these most preferred mail hosts, in any order."""
    return ",".join(sorted(hosts))[:MAX_SITE_NAME]


@cache
def known_providers() -> tuple[Provider, ...]:
    """Return the providers of the table that comes with the server."""
    tables = tomllib.loads(TABLE.read_text("utf-8"))["provider"]
    return tuple(Provider(**{**one, "suffixes": tuple(one["suffixes"])}) for one in tables)
