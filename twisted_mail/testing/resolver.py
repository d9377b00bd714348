"""A DNS in a dictionary."""

from collections.abc import Sequence
from typing import Any

from twisted_mail.mail.dns import DnsAnswer, IpVersion, MailHost, TlsaRecord
from twisted_mail.mail.outcome import Unavailable


class FakeResolver:
    """Answers from the records it was given: ``add("mail.example", "A", "192.0.2.1")``.

    Names in ``broken`` raise Unavailable, and those in ``missing`` do not exist; answers about names in
    ``signed`` are authentic, and CNAMEs are followed. ``asked`` keeps every question, in order, and
    ``askers`` those who asked. Fulfils ``interfaces.Resolver``.
    """

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[Any]] = {}
        self.broken: set[str] = set()
        self.missing: set[str] = set()
        self.signed: set[str] = set()
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
        name = name.lower()
        alias = self.records.get((name, "CNAME"))
        if alias and kind != "CNAME":
            behind = self._find(alias[0], kind)
            is_authentic = behind.is_authentic and name in self.signed
            canonical = behind.canonical or alias[0]
            return DnsAnswer(behind.values, is_authentic, behind.exists, canonical)
        found = tuple(self.records.get((name, kind), ()))
        return DnsAnswer(found, name in self.signed, name not in self.missing)

    async def addresses(self, name: str, version: IpVersion | None = None) -> DnsAnswer[str]:
        """Return the addresses of a host."""
        kinds = {4: ["A"], 6: ["AAAA"], None: ["AAAA", "A"]}[version]
        found = [self._find(name, kind) for kind in kinds]
        values = tuple(value for answer in found for value in answer)
        return DnsAnswer(
            values,
            all(answer.is_authentic for answer in found),
            any(answer.exists for answer in found),
            found[0].canonical,
        )

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

    async def alias(self, name: str) -> DnsAnswer[str]:
        """Return the CNAME record of a name."""
        return self._find(name, "CNAME")

    async def tlsa_of_each(self, names: Sequence[str]) -> Sequence[DnsAnswer[TlsaRecord] | None]:
        """Return the TLSA records of several names; None where the DNS does not answer."""
        return [None if name in self.broken else self._find(name, "TLSA") for name in names]
