"""The TLSA records of mail hosts (RFC 7672 §2.2.2, §2.2.3).

They are asked for only where the host's addresses are authentic: servers of zones that are not signed
often break at this question. A host whose answer fails is skipped, or whoever suppresses it wins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twisted_mail.interfaces import FoundHost, Resolver
from twisted_mail.mail.dns import DnsAnswer, TlsaRecord
from twisted_mail.mail.outcome import Unavailable


@dataclass(frozen=True, slots=True)
class TlsaFinding:
    """The authentic TLSA records of a host, at ``base``; or that it is not known if there are any."""

    base: str = ""
    records: tuple[TlsaRecord, ...] = ()
    has_failed: bool = False


MAX_BASES = 2  # of one host: its name behind CNAMEs first, then the one before

NO_RECORDS = TlsaFinding()
FAILED = TlsaFinding(has_failed=True)


class TlsaLookup:
    """Finds the TLSA records of hosts, for the ``port`` of mail."""

    def __init__(self, resolver: Resolver, port: int) -> None:
        self._resolver = resolver
        self._port = port

    async def find(self, hosts: Sequence[FoundHost]) -> Mapping[str, TlsaFinding]:
        """Return what there is for each of the hosts of a secure MX answer, by their names."""
        bases = {host.name: await self._bases(host) for host in hosts}
        found = {name: FAILED for name, of in bases.items() if of is None}
        for turn in range(MAX_BASES):
            asked = {
                name: of[turn]
                for name, of in bases.items()
                if of is not None and turn < len(of) and name not in found
            }
            found.update(await self._ask(asked))
        return {name: found.get(name, NO_RECORDS) for name in bases}

    async def _bases(self, host: FoundHost) -> list[str] | None:
        """Return the names at which a host may have records; None where the DNS does not answer."""
        if host.is_authentic:
            return [host.canonical, host.name] if host.canonical else [host.name]
        if not host.canonical:
            return []
        try:  # an alias that is authentic, of a name that is not
            alias = await self._resolver.alias(host.name)
        except Unavailable:
            return None
        return [host.name] if alias.is_authentic and alias else []

    async def _ask(self, bases: Mapping[str, str]) -> dict[str, TlsaFinding]:
        """Return what was found or has failed; hosts without records are left out."""
        if not bases:
            return {}
        questions = [f"_{self._port}._tcp.{base}" for base in bases.values()]
        answers = await self._resolver.tlsa_of_each(questions)
        findings = [
            _finding(base, answer) for base, answer in zip(bases.values(), answers, strict=True)
        ]
        return {
            name: finding
            for name, finding in zip(bases, findings, strict=True)
            if finding != NO_RECORDS
        }


def _finding(base: str, answer: DnsAnswer[TlsaRecord] | None) -> TlsaFinding:
    if answer is None:
        return FAILED
    if not answer.is_authentic or not answer:
        return NO_RECORDS
    return TlsaFinding(base, answer.values)
