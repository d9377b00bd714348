"""What is found out about a domain that mail would go on to: its hosts, site and limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from twisted_mail.config import Config
from twisted_mail.delivery.onward.dial_order import Place, dial_order
from twisted_mail.delivery.onward.dialing_rules import DialingRules
from twisted_mail.delivery.onward.mail_hosts import MailHostFinder, MailHosts
from twisted_mail.delivery.onward.next_hosts import NextHostFinder, NextHosts
from twisted_mail.delivery.onward.providers import Providers
from twisted_mail.interfaces import HostDemands, Resolver
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.trust import ANY_HOST, Demand, PassedOver, TlsLevel, Whence
from twisted_mail.net.client.own_addresses import is_own_address


@dataclass(frozen=True, slots=True)
class OnwardFacts:
    """What would happen to mail for a domain.

    ``found`` has its mail hosts, and those that are left out; None where all goes to a relay. ``hosts``
    are what is dialled, and the site, or why mail fails at once or for now. ``order`` is what one
    attempt would dial. ``provider`` is the name of whose the hosts are, or empty.
    """

    domain: str
    found: MailHosts | None
    hosts: NextHosts | Outcome
    order: Sequence[Place] = ()
    provider: str = ""


class FactFinder:
    """Asks the DNS what the server would ask it."""

    def __init__(
        self, config: Config, resolver: Resolver, demands: HostDemands | None = None
    ) -> None:
        settings = config.sending
        self._demands = demands
        self._providers = Providers(config.providers)
        rules = DialingRules(settings.allows_private, is_own_address)
        self._mail_hosts = MailHostFinder(resolver, rules, config.hostname)
        self._next = NextHostFinder(settings, self._providers, self._mail_hosts, resolver)
        self._settings = settings

    async def find(self, domain: str) -> OnwardFacts:
        """Return what is known of a domain."""
        if self._settings.next_relay is not None:
            hosts = await self._next.find(domain)
            return OnwardFacts(domain, None, hosts, self._order(hosts))
        found = await self._mail_hosts.find(domain)
        if found.failure is not None:
            return OnwardFacts(domain, found, found.failure)
        provider = self._providers.of([name for equal in found.ranked for name in equal])
        name = "" if provider is None else provider.name
        hosts = self._next.of(found)
        if self._demands is not None:
            hosts = await hosts.judged(self._demands)
        return OnwardFacts(domain, found, hosts, self._order(hosts), name)

    def _order(self, hosts: NextHosts | Outcome) -> list[Place]:
        if isinstance(hosts, Outcome):
            return []
        return dial_order(hosts.open_hosts, self._settings.families)


# ---------------------------------------------------------------- in words


def fact_lines(facts: OnwardFacts, config: Config) -> list[str]:
    """Return what is known of a domain, for people."""
    relay = config.sending.next_relay
    way = f"the relay {relay.site}, for all mail" if relay else "the mail hosts of the domain"
    hosts = [] if facts.found is None else _host_lines(facts.found)
    if isinstance(facts.hosts, Outcome):
        return [*_failure_lines(facts.hosts, way), *hosts]
    lines = [f"  goes to     {way}", *hosts]
    limits, most = facts.hosts.site.limits, config.sending
    provider = f" (provider {facts.provider})" if facts.provider else ""
    dialled = ", ".join(f"{name} [{address}]" for name, address in facts.order)
    return [
        *lines,
        f"  site        {facts.hosts.site.name}{provider}",
        f"  dials       {dialled or 'nothing: no address of a version of IP that is used'}",
        *_tls_lines(facts.hosts, config),
        (
            f"  limits      {limits.begin} to {limits.most} connections to the site,"
            f" {most.address_connections} to an address, {facts.hosts.messages} messages over each,"
            f" {most.recipients} recipients in a transaction"
        ),
    ]


def _host_lines(found: MailHosts) -> list[str]:
    lines = [
        f"  host        {host.preference:<5} {host.name}  {', '.join(host.addresses)}"
        + ("  (no MX: the domain itself)" if found.is_implicit else "")
        for host in found.hosts
    ]
    return lines + [
        f"  left out    {one.host}{f' [{one.address}]' if one.address else ''}: {one.reason}"
        for one in found.left_out
    ]


def _failure_lines(outcome: Outcome, way: str) -> list[str]:
    """Return why there is no host that mail could go to, and what becomes of it."""
    why = f"{outcome.code} {outcome.enhanced} {outcome.text}"
    if outcome.is_temporary:
        return [f"  goes to     {way}", f"  put off     {why}"]
    return [
        "  goes to     nobody: it fails at once, and the sender gets a report",
        f"  because     {why}",
    ]


def _tls_lines(hosts: NextHosts, config: Config) -> list[str]:
    """Return what each host has to prove, or once what all of them have."""
    if config.sending.next_relay is not None:
        return [f"  TLS         {config.sending.relay_tls}"]
    demanded = {one.name: _in_words(hosts.demands.get(one.name, ANY_HOST)) for one in hosts.hosts}
    if len(set(demanded.values())) == 1:
        return [f"  TLS         {next(iter(demanded.values()))}"]
    return [f"  TLS         {name}: {words}" for name, words in demanded.items()]


_LEVELS = {
    TlsLevel.NONE: "is not used",
    TlsLevel.MAY: "where it is offered; the host's name is not proven",
    TlsLevel.ENCRYPT: "is demanded; the host's name is not proven",
    TlsLevel.VERIFY: "is demanded, with a certificate of the host's name",
    TlsLevel.DANE: "is demanded, with a certificate that fits the host's TLSA records",
}
_SOURCES = {
    Whence.SETTING: " ([outgoing_tls])",
    Whence.DANE: " (DANE)",
    Whence.MTA_STS: " (the MTA-STS policy of the domain)",
}


def _in_words(demand: Demand | PassedOver) -> str:
    if isinstance(demand, PassedOver):
        return f"passed over: {demand.outcome.text}"
    return _LEVELS[demand.level] + _SOURCES.get(demand.whence, "")


def fact_data(facts: OnwardFacts) -> dict[str, Any]:
    """Return what is known of a domain, for programs."""
    left_out = () if facts.found is None else facts.found.left_out
    hosts = facts.hosts
    failure = hosts if isinstance(hosts, Outcome) else None
    next_hosts = None if isinstance(hosts, Outcome) else hosts
    return {
        "domain": facts.domain,
        "hosts": [
            {"preference": one.preference, "name": one.name, "addresses": list(one.addresses)}
            for one in (() if next_hosts is None else next_hosts.hosts)
        ],
        "left_out": [
            {"host": one.host, "address": one.address, "reason": one.reason} for one in left_out
        ],
        "provider": facts.provider,
        "dials": [{"host": host, "address": address} for host, address in facts.order],
        "tls": {} if next_hosts is None else _tls_data(next_hosts),
        "failure": None if failure is None else _outcome(failure),
        "site": None if next_hosts is None else next_hosts.site.name,
        "connections": None if next_hosts is None else next_hosts.site.limits.most,
        "messages": None if next_hosts is None else next_hosts.messages,
    }


def _tls_data(hosts: NextHosts) -> dict[str, Any]:
    return {
        name: one.label if isinstance(one, Demand) else _outcome(one.outcome)
        for name, one in hosts.demands.items()
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {"code": outcome.code, "enhanced": outcome.enhanced, "text": outcome.text}
