"""A DNS in a dictionary."""

from collections.abc import Sequence
from typing import Any

from twisted_mail.mail.dns import DnsAnswer, IpVersion, MailHost
from twisted_mail.mail.outcome import Unavailable


class FakeResolver:
    """Answers from the records it was given: ``add("mail.example", "A", "192.0.2.1")``.

    Names in ``broken`` raise Unavailable, and those in ``missing`` do not exist; ``asked`` keeps every
    question, in order, and ``askers`` those who asked. Fulfils ``interfaces.Resolver``.
    """

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[Any]] = {}
        self.broken: set[str] = set()
        self.missing: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.askers: list[str] = []

    def add(self, name: str, kind: str, *values: Any) -> "FakeResolver":
        """Add records of one name and type; return itself."""
        self.records.setdefault((name, kind), []).extend(values)
        return self

    def asked_by(self, asker: str) -> "FakeResolver":
        """Return itself: whoever asks gets an answer at once."""
        self.askers.append(asker)
        return self

    def _find(self, name: str, kind: str) -> DnsAnswer[Any]:
        self.asked.append((name, kind))
        if name in self.broken:
            raise Unavailable("The DNS does not answer now")
        found = tuple(self.records.get((name.lower(), kind), ()))
        return DnsAnswer(found, exists=name.lower() not in self.missing)

    async def addresses(self, name: str, version: IpVersion | None = None) -> DnsAnswer[str]:
        """Return the addresses of a host."""
        kinds = {4: ["A"], 6: ["AAAA"], None: ["AAAA", "A"]}[version]
        found = [self._find(name, kind) for kind in kinds]
        values = tuple(value for answer in found for value in answer)
        return DnsAnswer(values, exists=any(answer.exists for answer in found))

    async def addresses_of_each(
        self, names: Sequence[str], version: IpVersion | None = None
    ) -> Sequence[DnsAnswer[str] | None]:
        """Return the addresses of several hosts; None where the DNS does not answer."""
        return [
            None if name in self.broken else await self.addresses(name, version) for name in names
        ]

    async def names(self, address: str) -> DnsAnswer[str]:
        """Return the host names of an address."""
        return self._find(address, "PTR")

    async def mail_hosts(self, domain: str) -> DnsAnswer[MailHost]:
        """Return the mail hosts of a domain."""
        return self._find(domain, "MX")

    async def texts(self, name: str) -> DnsAnswer[bytes]:
        """Return the texts of a name."""
        return self._find(name, "TXT")
