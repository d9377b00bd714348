"""What knows how far other hosts are to be trusted, made and connected."""

from dataclasses import dataclass
from typing import Any

from twisted_mail.assembly.on_demand import HTTPS, OnDemand, PolicyFetchOnDemand
from twisted_mail.config import Config
from twisted_mail.delivery.onward.dialing_rules import DialingRules
from twisted_mail.interfaces import Blocking, Clock, FaultReport, Resolver, Tasks
from twisted_mail.net.client.own_addresses import is_own_address
from twisted_mail.trust.demands import TrustDemands
from twisted_mail.trust.policies import PolicyDoors, StsPolicies
from twisted_mail.trust.policy_store import FILE, SqlitePolicyStore
from twisted_mail.trust.tlsa_lookup import TlsaLookup


@dataclass(frozen=True, slots=True)
class TrustDependencies:
    """What trust works with. ``blocking`` is for the database of policies, and for imports.

    Without ``tasks`` the database is only read, and no policy is refreshed: for a look beside a server.
    """

    reactor: Any
    clock: Clock
    resolver: Resolver
    blocking: Blocking
    tasks: Tasks | None
    report_fault: FaultReport


class TrustAssembly:
    """``demands`` knows what is demanded of hosts, once ``start`` has returned."""

    def __init__(self, config: Config, of: TrustDependencies) -> None:
        settings = config.outgoing_tls
        self._blocking = of.blocking.lane()
        self._store = SqlitePolicyStore(config.state / FILE, only_reads=of.tasks is None)
        self._policies = self._make_policies(config, of) if settings.mta_sts else None
        tlsa = TlsaLookup(of.resolver, config.sending.port) if settings.dane else None
        self.demands = TrustDemands(settings, tlsa, self._policies)

    def _make_policies(self, config: Config, of: TrustDependencies) -> StsPolicies:
        rules = DialingRules(config.sending.allows_private, is_own_address)
        authorities = config.sending.authorities
        trusted = str(config.state / authorities) if authorities else ""
        fetcher = OnDemand(
            HTTPS,
            of.blocking,
            lambda https: https.HttpsFetcher(
                of.reactor, of.resolver, of.clock, rules.objection, trusted
            ),
        )
        return StsPolicies(
            PolicyDoors(
                of.resolver,
                PolicyFetchOnDemand(fetcher),
                self._store,
                self._blocking,
                of.clock,
                of.tasks,
                of.report_fault,
            )
        )

    async def start(self) -> None:
        """Read the policies that are kept."""
        if self._policies is not None:
            await self._policies.start()

    async def close(self) -> None:
        """Close the database of policies."""
        await self._blocking.run(self._store.close)
