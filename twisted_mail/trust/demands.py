"""What is demanded of the hosts of a destination: rules, records and policies brought together."""

from collections.abc import Mapping
from typing import Protocol

from twisted_mail.interfaces import FoundHosts
from twisted_mail.mail.trust import Demand, PassedOver, TlsLevel
from twisted_mail.trust.demand import demand_of
from twisted_mail.trust.settings import OutgoingTlsSettings
from twisted_mail.trust.sts import StsPolicy
from twisted_mail.trust.tlsa_lookup import NO_RECORDS, TlsaFinding, TlsaLookup


class PolicyFinder(Protocol):
    """Finds the MTA-STS policies of domains: ``policies.StsPolicies``."""

    async def find(self, domain: str) -> StsPolicy | None:
        """Return the policy of a domain, or None."""


class TrustDemands:
    """Fulfils ``interfaces.HostDemands``. ``tlsa`` and ``policies`` are None where they are not asked."""

    def __init__(
        self,
        settings: OutgoingTlsSettings,
        tlsa: TlsaLookup | None = None,
        policies: PolicyFinder | None = None,
    ) -> None:
        self._settings = settings
        self._tlsa = tlsa
        self._policies = policies

    async def of(self, found: FoundHosts) -> Mapping[str, Demand | PassedOver]:
        """Return what is demanded of each host, by its name, or why it is passed over now."""
        domain = found.names[0]
        level, whence = self._settings.level_of(domain)
        if level is TlsLevel.NONE or domain.startswith("["):
            return {one.name: demand_of(one.name, level, whence) for one in found.hosts}
        records = await self._records(found)
        policy = None if self._policies is None else await self._policies.find(domain)
        return {
            one.name: demand_of(
                one.name,
                level,
                whence,
                records.get(one.name, NO_RECORDS),
                policy,
                found.names,
                found.is_authentic,
            )
            for one in found.hosts
        }

    async def _records(self, found: FoundHosts) -> Mapping[str, TlsaFinding]:
        """Return the TLSA records of hosts that DNSSEC vouches for (RFC 7672 §2.2.1)."""
        if self._tlsa is None or not found.is_authentic:
            return {}
        return await self._tlsa.find(found.hosts)
