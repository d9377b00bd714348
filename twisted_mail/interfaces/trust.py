"""What is demanded of the hosts that mail goes on to, and what that is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted_mail.mail.trust import Demand, PassedOver


class FoundHost(Protocol):
    """A mail host as the DNS has it."""

    @property
    def name(self) -> str:
        """Return the name, as the MX record has it."""

    @property
    def is_authentic(self) -> bool:
        """Return whether the addresses are, and every CNAME that led to them."""

    @property
    def canonical(self) -> str:
        """Return the name that the addresses belong to, or the empty text if that is ``name``."""


@dataclass(frozen=True, slots=True)
class FoundHosts:
    """The mail hosts of a destination. ``names`` are the destination's own, and that behind CNAMEs.

    ``is_authentic``: DNSSEC vouches for its MX records, or for there being none.
    """

    names: tuple[str, ...]
    hosts: Sequence[FoundHost]
    is_authentic: bool = False


class HostDemands(Protocol):
    """Knows what is demanded of hosts."""

    async def of(self, found: FoundHosts) -> Mapping[str, Demand | PassedOver]:
        """Return what is demanded of each host, by its name, or why it is passed over now.

        May take as long as some answers of the DNS, and one of a web server. Never raises.
        """


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """An MTA-STS policy as it is kept: its text, the id in the DNS, and the second it was fetched in."""

    domain: str
    id: str
    fetched: float
    text: bytes


class PolicyStore(Protocol):
    """Keeps MTA-STS policies over restarts. Used in one lane of threads; raises PolicyStoreFailed."""

    def load(self) -> Sequence[StoredPolicy]:
        """Return all policies, those that were fetched first before others."""

    def alter(self, kept: Sequence[StoredPolicy], removed: Sequence[str]) -> None:
        """Keep policies, and remove those of some domains. Durable on return."""


class PolicyStoreFailed(Exception):
    """The policies on disk cannot be used now."""


class PolicyFetch(Protocol):
    """Fetches an MTA-STS policy."""

    async def fetch(self, host: str, path: str, limit: int, seconds: float) -> bytes:
        """Return what ``https://HOST/PATH`` has as plain text, from a server that has proven its name.

        Raises Unavailable if there is any other answer than that, none in time, or one with more than
        ``limit`` octets.
        """
