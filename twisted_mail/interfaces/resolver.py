"""The DNS."""

from collections.abc import Sequence
from typing import Protocol

from twisted_mail.mail.dns import DnsAnswer, IpVersion, MailHost, TlsaRecord

DNS_LISTS = "lists"  # who asks the DNS lists of the configuration


class Resolver(Protocol):
    """Asks the DNS.

    An answer is empty where the name has no records of the kind; its ``exists`` is false where there is
    no such name, or it cannot be one. Raises Unavailable when no server answers in time, when servers
    fail (SERVFAIL), and when too many questions are waiting. Answers are cached as long as the DNS
    allows.
    """

    def asked_by(self, asker: str) -> "Resolver":
        """Return the resolver for one of those who ask: each has a share, and they take turns.

        ``asker`` is the network of the client whose mail makes a filter ask, or ``DNS_LISTS``. Without
        it the server itself asks.
        """

    async def addresses(self, name: str, version: IpVersion | None = None) -> DnsAnswer[str]:
        """Return the numeric addresses of a name: of one version of IP, or all, IPv6 first."""

    async def addresses_of_each(
        self, names: Sequence[str], version: IpVersion | None = None
    ) -> Sequence[DnsAnswer[str] | None]:
        """Return the addresses of several names, asked at once; None where ``addresses`` raises."""

    async def names(self, address: str) -> DnsAnswer[str]:
        """Return the names that a numeric address has by its PTR records, unconfirmed."""

    async def mail_hosts(self, domain: str) -> DnsAnswer[MailHost]:
        """Return the MX records of a domain, the most preferred first."""

    async def texts(self, name: str) -> DnsAnswer[bytes]:
        """Return the TXT records of a name, the strings of each joined."""

    async def alias(self, name: str) -> DnsAnswer[str]:
        """Return the CNAME record of a name, and nothing of what it leads to."""

    async def tlsa_of_each(self, names: Sequence[str]) -> Sequence[DnsAnswer[TlsaRecord] | None]:
        """Return the TLSA records of several names, asked at once; None where the DNS does not answer."""
