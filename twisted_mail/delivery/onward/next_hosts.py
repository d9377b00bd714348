"""Where the mail of a destination is handed on: its site, and the hosts that are dialled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from twisted_mail.delivery.onward.dial_order import VERSIONS, Place
from twisted_mail.delivery.onward.mail_hosts import (
    HostAddresses,
    MailHostFinder,
    MailHosts,
    ip_version,
)
from twisted_mail.delivery.onward.providers import Providers, site_name
from twisted_mail.delivery.onward.relay import Relay
from twisted_mail.delivery.onward.settings import SendingSettings
from twisted_mail.interfaces import FoundHosts, HostDemands, Resolver
from twisted_mail.interfaces.carrier import Site, SiteLimits
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.queued.destination import SMTP
from twisted_mail.mail.trust import ANY_HOST, WAIVED, Demand, PassedOver, TlsLevel, Whence

RELAY_UNKNOWN = Outcome(451, "4.4.4", "The relay's name has no address")
RELAY_SILENT = Outcome(451, "4.4.3", "The DNS does not answer for the relay's name now")
NO_FAMILY = Outcome(451, "4.4.4", "The mail hosts have no address of a version of IP that is used")


@dataclass(frozen=True, slots=True)
class NextHosts:
    """The hosts of a destination, in order, and the site that they are.

    ``messages`` is for how many a connection is used at most. Where the hosts of other destinations of
    the site may be others, it ``has_several_names``: then a host that is not reached is no word on the
    site. With ``relay`` all mail goes there.

    ``names`` are those of the destination, its own first; ``is_authentic``: DNSSEC vouches for the hosts
    being its hosts. ``demands`` are those on TLS, by names of hosts, or why no mail goes there now;
    others have the ``default_demand``.
    """

    site: Site
    hosts: tuple[HostAddresses, ...]
    messages: int
    has_several_names: bool = False
    relay: Relay | None = None
    names: tuple[str, ...] = ()
    is_authentic: bool = False
    demands: Mapping[str, Demand | PassedOver] = field(default_factory=dict)
    default_demand: Demand = ANY_HOST

    def has(self, host: str) -> bool:
        """Return whether a host, by its name, is one of these."""
        return any(one.name == host for one in self.open_hosts)

    @property
    def open_hosts(self) -> tuple[HostAddresses, ...]:
        """Return the hosts that are not passed over."""
        return tuple(one for one in self.hosts if self.demand(one.name) is not None)

    @property
    def passed_over(self) -> list[PassedOver]:
        """Return the hosts that no mail goes to now, because of what they are to prove."""
        return [one for one in self.demands.values() if isinstance(one, PassedOver)]

    def demand(self, host: str) -> Demand | None:
        """Return what is demanded of a host that is one of these; None if it is passed over."""
        found = self.demands.get(host, self.default_demand)
        return None if isinstance(found, PassedOver) else found

    async def judged(self, rules: HostDemands) -> "NextHosts":
        """Return the hosts with what is demanded of each; a relay is the operator's, who has set it."""
        if self.relay is not None:
            return self
        of = FoundHosts(self.names, self.hosts, self.is_authentic)
        return replace(self, demands=await rules.of(of))

    def waived(self) -> "NextHosts":
        """Return the hosts for mail that goes whatever they prove; a relay is the operator's to judge."""
        return self if self.relay is not None else replace(self, demands={}, default_demand=WAIVED)

    def has_place(self, place: Place) -> bool:
        """Return whether a host is one of these, with this address."""
        name, address = place
        return any(one.name == name and address in one.addresses for one in self.open_hosts)


class NextHostFinder:
    """Finds the next hosts of domains: the relay, or else their mail hosts."""

    def __init__(
        self,
        settings: SendingSettings,
        providers: Providers,
        mail_hosts: MailHostFinder,
        resolver: Resolver,
    ) -> None:
        self._settings = settings
        self._providers = providers
        self._mail_hosts = mail_hosts
        self._resolver = resolver
        self._relay = settings.next_relay

    async def find(self, domain: str) -> NextHosts | Outcome:
        """Return the next hosts of a domain, or why there are none, for now or permanently."""
        if self._relay is not None:
            return await self._find_relay(self._relay)
        found = await self._mail_hosts.find(domain)
        return self.of(found) if found.failure is None else found.failure

    def of(self, found: MailHosts) -> NextHosts:
        """Return the next hosts, of mail hosts that were found."""
        names = (found.domain, found.canonical) if found.canonical else (found.domain,)
        return replace(self._of(found), names=names, is_authentic=found.is_authentic)

    def _of(self, found: MailHosts) -> NextHosts:
        names = [name for equal in found.ranked for name in equal]
        of, provider = self._settings, self._providers.of(names)
        if provider is None:
            site = self._site(site_name(found.ranked), self._most(found.hosts))
            return NextHosts(site, found.hosts, of.messages)
        site = self._site(provider.name, provider.connections or of.site_connections)
        messages = provider.messages or of.messages
        return NextHosts(site, found.hosts, messages, has_several_names=True)

    def _site(self, name: str, most: int) -> Site:
        return Site(SMTP, name, SiteLimits(min(self._settings.first_connections, most), most))

    def _most(self, hosts: Sequence[HostAddresses]) -> int:
        """Return how many connections a site may have: no more than its first hosts' addresses may.

        One more would take a transaction, and wait with it for a place.
        """
        versions = VERSIONS[self._settings.families]
        first = [one for one in hosts if one.preference == hosts[0].preference]
        addresses = {each for one in first for each in one.addresses}
        dialled = sum(ip_version(one) in versions for one in addresses)
        places = max(dialled, 1) * self._settings.address_connections
        return min(self._settings.site_connections, places)

    async def _find_relay(self, relay: Relay) -> NextHosts | Outcome:
        """Return the relay. It may be anywhere: the operator has named it, and not the DNS."""
        if relay.is_numeric:
            addresses: tuple[str, ...] = (relay.host,)
        else:
            try:
                addresses = (await self._resolver.addresses(relay.host)).values
            except Unavailable:
                return RELAY_SILENT
        if not addresses:
            return RELAY_UNKNOWN
        hosts = (HostAddresses(0, relay.host, addresses),)
        site = self._site(relay.site, self._most(hosts))
        level = TlsLevel(self._settings.relay_tls)
        demand = Demand(level, Whence.RELAY, (relay.host,), is_host_certain=True)
        messages = self._settings.messages
        return NextHosts(site, hosts, messages, relay=relay, default_demand=demand)
