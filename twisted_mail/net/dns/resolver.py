"""The DNS resolver of the server: what can be asked, over the questions that all who ask share."""

import ipaddress
from collections.abc import Sequence
from typing import Any

import dns.name
import dns.reversename
from twisted.internet.defer import Deferred

from twisted_mail.interfaces import Clock
from twisted_mail.mail.dns import DnsAnswer, IpVersion, MailHost, TlsaRecord
from twisted_mail.mail.outcome import MailError, Unavailable
from twisted_mail.net.dns.questions import DnsQuestions
from twisted_mail.net.dns.stub_resolver import NO_ANSWER, StubResolver, to_name

NO_SUCH_NAME: DnsAnswer[Any] = DnsAnswer(exists=False)  # also for what cannot be a name


class DnsResolver:
    """Fulfils ``interfaces.Resolver``, for one of those who ask."""

    def __init__(self, questions: DnsQuestions, asker: str = "") -> None:
        self._questions = questions
        self._asker = asker

    def asked_by(self, asker: str) -> "DnsResolver":
        """Return the resolver with whose questions another takes turns."""
        return DnsResolver(self._questions, asker)

    # ------------------------------------------------------------ the door

    async def addresses(self, name: str, version: IpVersion | None = None) -> DnsAnswer[str]:
        """Return the numeric addresses of a name."""
        key = to_name(name)
        if version is not None:
            return await self._find(key, "A" if version == 4 else "AAAA")
        # Both are asked for at once; either is enough.
        [first, second] = await self._find_each([(key, "AAAA"), (key, "A")])
        if not first and not second and (first is None or second is None):
            raise Unavailable(NO_ANSWER)
        return _together(first, second)

    async def addresses_of_each(
        self, names: Sequence[str], version: IpVersion | None = None
    ) -> Sequence[DnsAnswer[str] | None]:
        """Return the addresses of several names, asked at once."""
        kinds = {4: ["A"], 6: ["AAAA"], None: ["AAAA", "A"]}[version]
        found = [await self._find_each([(to_name(name), kind) for name in names]) for kind in kinds]
        if len(found) == 1:
            return found[0]
        pairs = zip(*found, strict=True)
        return [
            _together(one, other) if one or other or None not in (one, other) else None
            for one, other in pairs
        ]

    async def names(self, address: str) -> DnsAnswer[str]:
        """Return the names of a numeric address."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return NO_SUCH_NAME
        mapped = getattr(found, "ipv4_mapped", None) or found
        return await self._find(dns.reversename.from_address(str(mapped)), "PTR")

    async def mail_hosts(self, domain: str) -> DnsAnswer[MailHost]:
        """Return the MX records of a domain."""
        return await self._find(to_name(domain), "MX")

    async def texts(self, name: str) -> DnsAnswer[bytes]:
        """Return the TXT records of a name."""
        return await self._find(to_name(name), "TXT")

    async def alias(self, name: str) -> DnsAnswer[str]:
        """Return the CNAME record of a name."""
        return await self._find(to_name(name), "CNAME")

    async def tlsa_of_each(self, names: Sequence[str]) -> Sequence[DnsAnswer[TlsaRecord] | None]:
        """Return the TLSA records of several names, asked at once."""
        return await self._find_each([(to_name(name), "TLSA") for name in names])

    # ------------------------------------------------------------ asking

    async def _find(self, name: dns.name.Name | None, kind: str) -> DnsAnswer[Any]:
        if name is None:
            return NO_SUCH_NAME
        return await self._questions.answer(name, kind, self._asker)

    async def _find_each(
        self, wanted: Sequence[tuple[dns.name.Name | None, str]]
    ) -> list[DnsAnswer[Any] | None]:
        trials = [Deferred.fromCoroutine(self._try(*each)) for each in wanted]
        return [await each for each in trials]

    async def _try(self, name: dns.name.Name | None, kind: str) -> DnsAnswer[Any] | None:
        try:
            return await self._find(name, kind)
        except MailError:
            return None


def make_resolver(
    reactor: Any, servers: Sequence[tuple[str, int]], timeout: float, clock: Clock
) -> DnsResolver:
    """Return the resolver of a process, which asks ``servers`` (none: those of /etc/resolv.conf)."""
    stub = StubResolver(reactor, servers, timeout)
    return DnsResolver(DnsQuestions(stub.ask, clock))


def _together(first: DnsAnswer[str] | None, second: DnsAnswer[str] | None) -> DnsAnswer[str]:
    parts = [one for one in (first, second) if one is not None]
    return DnsAnswer(
        tuple(value for one in parts for value in one),
        # That one of them was suppressed takes nothing from the other.
        all(one.is_authentic for one in parts),
        any(one.exists for one in parts),
        next((one.canonical for one in parts if one.canonical), ""),
    )
