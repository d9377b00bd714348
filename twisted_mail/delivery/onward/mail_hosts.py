"""The mail hosts of a domain, in the order in which they are tried (RFC 5321 §5.1).

What the DNS says is a stranger's word. Trouble with the DNS is never a final failure; what it says
clearly is: there is no such domain, it takes no mail, it leads to nobody but us.
"""

import ipaddress
import random
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from twisted_mail.delivery.onward.dialing_rules import OURS, DialingRules
from twisted_mail.interfaces import Resolver
from twisted_mail.mail.dns import DnsAnswer, MailHost
from twisted_mail.mail.outcome import Outcome, Unavailable

MAX_RECORDS = 100  # MX records that are looked at
MAX_LOOKED_UP = 20  # hosts whose addresses are asked for
MAX_ADDRESSES_OF_HOST = 50  # that are looked at

NO_DOMAIN = Outcome(550, "5.1.2", "The domain does not exist")
NO_MAIL_THERE = Outcome(550, "5.1.2", "The domain has neither mail hosts nor an address")
NULL_MX = Outcome(556, "5.1.10", "The domain takes no mail (null MX)")  # RFC 7505 §4.1
DNS_SILENT = Outcome(451, "4.4.3", "The DNS does not answer for the domain now")
HOSTS_SILENT = Outcome(451, "4.4.3", "The DNS does not answer for the mail hosts of the domain now")
LOOP = Outcome(550, "5.4.6", "Mail for the domain leads back to this server")
NO_ADDRESS = Outcome(550, "5.4.4", "No mail host of the domain has an address")
NOT_PUBLIC = Outcome(550, "5.4.4", "The mail hosts of the domain have no public address")

NO_NAME, OWN_NAME, AFTER_OURS, SILENT, WITHOUT_ADDRESS, SURPLUS = (
    "is no host name",
    "is this server",
    "is not preferred to this server",
    "the DNS does not answer",
    "has no address",
    "is beyond what is looked at",
)

_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_MAX_HOST = 253  # octets of a name as text (RFC 1035 §2.3.4)

Shuffle = Callable[[list[MailHost]], None]


@dataclass(frozen=True, slots=True)
class HostAddresses:
    """A mail host and its addresses that may be dialled, IPv6 and IPv4 mixed, in no order.

    ``is_authentic``: DNSSEC vouches for the addresses. They belong to the name ``canonical``, if that is
    another one, behind CNAMEs.
    """

    preference: int
    name: str
    addresses: tuple[str, ...]
    is_authentic: bool = False
    canonical: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A mail host, or one of its addresses, that is not dialled, and why."""

    host: str
    reason: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class MailHosts:
    """What was found for a domain: its hosts in order, or in ``failure`` why there are none.

    ``ranked`` are the names of all, those of equal preference together and sorted, also of hosts that
    have no address now. Hosts that are left out are kept for those who ask why. The host of a domain
    without MX records ``is_implicit``. ``is_authentic``: DNSSEC vouches for the MX records, or for there
    being none; they belong to the domain ``canonical``, if that is another one, behind CNAMEs.
    """

    domain: str
    hosts: tuple[HostAddresses, ...] = ()
    ranked: tuple[tuple[str, ...], ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    failure: Outcome | None = None
    is_implicit: bool = False
    is_authentic: bool = False
    canonical: str = ""


class MailHostFinder:
    """Finds mail hosts in the DNS.

    ``hostname`` is our own name, and its addresses are ours, too; ``shuffle`` mixes hosts of equal
    preference (RFC 5321 §5.1).
    """

    def __init__(
        self,
        resolver: Resolver,
        rules: DialingRules,
        hostname: str,
        shuffle: Shuffle = random.shuffle,
    ) -> None:
        self._resolver = resolver
        self._rules = rules
        self._hostname = hostname.lower()
        self._shuffle = shuffle

    async def find(self, domain: str) -> MailHosts:
        """Return the mail hosts of a domain in A-labels, or of an address literal."""
        if domain.startswith("["):
            return self._literal(domain)
        if not is_host_name(domain):
            return MailHosts(domain, failure=NO_DOMAIN)
        try:
            records = await self._resolver.mail_hosts(domain)
        except Unavailable:
            return MailHosts(domain, failure=DNS_SILENT)
        if not records.exists:
            return MailHosts(domain, failure=NO_DOMAIN)
        if is_null_mx(records):
            return MailHosts(domain, failure=NULL_MX)
        if not records:
            found = await self._look_up(domain, [MailHost(0, domain)], is_implicit=True)
        else:
            found = await self._look_up(domain, records.values, is_implicit=False)
        return replace(found, is_authentic=records.is_authentic, canonical=records.canonical)

    def _literal(self, domain: str) -> MailHosts:
        address = domain[1:-1].removeprefix("IPv6:")
        objection = self._rules.objection(address)
        if not objection:
            return MailHosts(domain, (HostAddresses(0, domain, (address,)),), ((domain,),))
        failure = LOOP if objection == OURS else NOT_PUBLIC
        left_out = LeftOut(domain, objection, address)
        return MailHosts(domain, left_out=(left_out,), failure=failure)

    async def _look_up(
        self, domain: str, records: Sequence[MailHost], is_implicit: bool
    ) -> MailHosts:
        selection = _Selection()
        hosts = selection.candidates(records, self._hostname, self._shuffle)
        if hosts:
            own = await self._own_addresses()
            names = [host.name for host in hosts]
            answers = await self._resolver.addresses_of_each(names)
            for host, answer in zip(hosts, answers, strict=True):
                selection.add(host, answer, self._rules, own)
        return MailHosts(
            domain,
            tuple(selection.hosts),
            _ranked(hosts),
            tuple(selection.left_out),
            None if selection.hosts else selection.failure(is_implicit),
            is_implicit,
        )

    async def _own_addresses(self) -> Collection[str]:
        """Return the addresses of our own name; none while the DNS does not answer."""
        if not is_host_name(self._hostname):
            return ()
        try:
            return (await self._resolver.addresses(self._hostname)).values
        except Unavailable:
            return ()


def _ranked(hosts: Sequence[MailHost]) -> tuple[tuple[str, ...], ...]:
    """Return the names of hosts, which are in order, by their preferences."""
    ranks = groupby(hosts, key=lambda host: host.preference)
    return tuple(tuple(sorted(host.name for host in equal)) for _, equal in ranks)


def is_null_mx(records: DnsAnswer[MailHost]) -> bool:
    """Return whether a domain says that it takes no mail (RFC 7505 §3)."""
    return len(records) == 1 and records.values[0].is_null


def is_host_name(name: str) -> bool:
    """Return whether a name can be a host's: no address, nothing empty, no odd octets."""
    if len(name) > _MAX_HOST or not _HOST.fullmatch(name):
        return False
    # No top-level domain is a number: that is an address, or meant as one (RFC 3696 §2).
    return not name.rpartition(".")[2].isdigit()


class _Selection:
    """Goes through the hosts of one domain, and notes what is left out."""

    def __init__(self) -> None:
        self.hosts: list[HostAddresses] = []
        self.left_out: list[LeftOut] = []
        self._own: int | None = None  # our preference, where we are among them

    def candidates(
        self, records: Sequence[MailHost], hostname: str, shuffle: Shuffle
    ) -> list[MailHost]:
        """Return the hosts that are looked up, in order: those that are preferred to us by name."""
        hosts = list(dict.fromkeys(records[:MAX_RECORDS]))
        self._leave_out(hosts, lambda host: not is_host_name(host.name), NO_NAME)
        own = [host.preference for host in hosts if host.name == hostname]
        if own:
            self._own = min(own)
            self._leave_out(hosts, lambda host: host.name == hostname, OWN_NAME)
            self._leave_out(hosts, lambda host: host.preference >= min(own), AFTER_OURS)
        shuffle(hosts)
        hosts.sort(key=lambda host: host.preference)
        self.left_out += [LeftOut(host.name, SURPLUS) for host in hosts[MAX_LOOKED_UP:]]
        return hosts[:MAX_LOOKED_UP]

    def _leave_out(
        self, hosts: list[MailHost], is_out: Callable[[MailHost], bool], reason: str
    ) -> None:
        self.left_out += [LeftOut(host.name, reason) for host in hosts if is_out(host)]
        hosts[:] = [host for host in hosts if not is_out(host)]

    def add(
        self,
        host: MailHost,
        answer: DnsAnswer[str] | None,
        rules: DialingRules,
        own: Collection[str],
    ) -> None:
        """Take a host with those of its addresses that may be dialled, in the order of preference."""
        if self._own is not None and host.preference >= self._own:
            self.left_out.append(LeftOut(host.name, AFTER_OURS))
        elif answer is None:
            self.left_out.append(LeftOut(host.name, SILENT))
        elif not answer:
            self.left_out.append(LeftOut(host.name, WITHOUT_ADDRESS))
        else:
            self._add_addresses(host, answer, rules, own)

    def _add_addresses(
        self, host: MailHost, answer: DnsAnswer[str], rules: DialingRules, own: Collection[str]
    ) -> None:
        addresses = answer.values[:MAX_ADDRESSES_OF_HOST]
        objections = {one: rules.objection(one, own) for one in addresses}
        self.left_out += [
            LeftOut(host.name, objection, one) for one, objection in objections.items() if objection
        ]
        if OURS in objections.values():
            self._note_own(host.preference)
        elif dialled := tuple(one for one in addresses if not objections[one]):
            self.hosts.append(
                HostAddresses(
                    host.preference, host.name, dialled, answer.is_authentic, answer.canonical
                )
            )

    def _note_own(self, preference: int) -> None:
        """We are a mail host under another name: we and all behind us are left out."""
        self._own = preference
        equal = [host for host in self.hosts if host.preference >= preference]
        self.left_out += [LeftOut(host.name, AFTER_OURS) for host in equal]
        self.hosts = [host for host in self.hosts if host.preference < preference]

    def failure(self, is_implicit: bool) -> Outcome:
        """Return why there is no host left. That the DNS is silent comes first: it is never final."""
        reasons = {one.reason for one in self.left_out}
        if SILENT in reasons:
            return DNS_SILENT if is_implicit else HOSTS_SILENT
        if self._own is not None:
            return LOOP
        if any(one.address for one in self.left_out):
            return NOT_PUBLIC
        return NO_MAIL_THERE if is_implicit else NO_ADDRESS


def ip_version(address: str) -> int:
    """Return 4 or 6, for a numeric address."""
    return ipaddress.ip_address(address).version
