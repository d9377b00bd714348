"""Providers: whose mail hosts have many names and are one site all the same.

A *site* is what stands behind domains: the names of all their mail hosts. Some give each customer a
name of its own, or spread customers over many names, and count what comes to all of them; a suffix of
host names brings these together. The table that comes with the server is ``providers.toml``; a
``[[provider]]`` of the configuration takes the place of the one of the same name, or is a further one.

Anybody can name anybody's hosts as his own. So a domain belongs to a site only if it has no other hosts
than those of the site: nobody then brings a host of his own to where others' mail waits.
"""

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from twisted_mail.mail.address import parse_domain

TABLE = Path(__file__).with_name("providers.toml")
MAX_SITE_NAME = 255  # octets; longer ones have a digest in the place of the rest
_DIGEST = 16  # octets of it


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
        """Return the provider of these mail hosts, if all of a domain's are of the same."""
        return next((one for one in self._known if hosts and all(map(one.has, hosts))), None)


def site_name(ranked: Sequence[Sequence[str]]) -> str:
    """Return the name of the site with these mail hosts: equals in any order, the preferred ones first.

    No other hosts, nor these in another order, have the same name.
    """
    name = "+".join(",".join(sorted(equal)) for equal in ranked)
    if len(name) <= MAX_SITE_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[: 2 * _DIGEST]
    return f"{name[: MAX_SITE_NAME - 2 * _DIGEST - 1]}~{digest}"  # no host has "~"


@cache
def known_providers() -> tuple[Provider, ...]:
    """Return the providers of the table that comes with the server."""
    tables = tomllib.loads(TABLE.read_text("utf-8"))["provider"]
    return tuple(Provider(**{**one, "suffixes": tuple(one["suffixes"])}) for one in tables)
