"""What the DNS has for our own domains and the host: whether mail finds this server, and is trusted.

Asked for with ``twisted-mail check --dns``, since it leaves this machine. No answer can keep the server
from starting, so nothing here is a fault.
"""

import re
from collections.abc import Awaitable, Iterator, Sequence
from typing import TypeVar

from twisted_mail.control.checks.note import Note
from twisted_mail.interfaces import Resolver
from twisted_mail.mail.dns import MailHost
from twisted_mail.mail.outcome import MailError

T = TypeVar("T")

_SPF = re.compile(rb"v=spf1(?: |$)", re.IGNORECASE)  # RFC 7208 §4.5


async def dns_notes(resolver: Resolver, hostname: str, domains: Sequence[str]) -> list[Note]:
    """Ask for the addresses of the host, their names, and the MX and SPF records of each domain."""
    notes, addresses = await _host_notes(resolver, hostname)
    for domain in domains:
        notes += await _answered(_mail_host_notes(resolver, domain, hostname, addresses), domain)
        notes += await _answered(_spf_notes(resolver, domain), domain)
    return notes


async def _answered(asking: Awaitable[list[Note]], name: str) -> list[Note]:
    """Return what was found out, or that the DNS does not answer."""
    try:
        return await asking
    except MailError as error:
        return [_warning(name, f"the DNS does not answer: {error.outcome.text}")]


def _warning(name: str, text: str) -> Note:
    return Note("warning", f"DNS of {name}", text)


def _fine(name: str, text: str) -> Note:
    return Note("fine", f"DNS of {name}", text)


# ---------------------------------------------------------------- the host


async def _host_notes(resolver: Resolver, hostname: str) -> tuple[list[Note], frozenset[str]]:
    try:
        addresses = tuple(await resolver.addresses(hostname))
    except MailError as error:
        text = f"the DNS does not answer: {error.outcome.text}"
        return [_warning(hostname, text)], frozenset()
    if not addresses:
        text = "has no address (A, AAAA), so no other server finds this one"
        return [_warning(hostname, text)], frozenset()
    notes = [_fine(hostname, f"has the address {', '.join(addresses)}")]
    for address in addresses:
        notes += await _answered(_reverse_notes(resolver, address, hostname), hostname)
    return notes, frozenset(addresses)


async def _reverse_notes(resolver: Resolver, address: str, hostname: str) -> list[Note]:
    """Look whether the address leads back to the host, as many servers demand of each other."""
    names = [name.lower() for name in await resolver.names(address)]
    if hostname.lower() in names:
        return [_fine(hostname, f"{address} has this name (PTR)")]
    found = f"has the name {', '.join(names[:3])}" if names else "has no name"
    text = f"{address} {found} (PTR), not {hostname}: who owns the address can set it"
    return [_warning(hostname, text)]


# ---------------------------------------------------------------- a domain


async def _mail_host_notes(
    resolver: Resolver, domain: str, hostname: str, addresses: frozenset[str]
) -> list[Note]:
    """Look whether the MX records of a domain lead here (RFC 5321 §5.1)."""
    hosts = tuple(await resolver.mail_hosts(domain))
    cure = f"publish: {domain}. IN MX 10 {hostname}."
    if not hosts:
        own = await resolver.addresses(domain)
        text = "has no MX" + (", and its own address is taken instead" if own else "")
        return [_warning(domain, f"{text}; {cure}")]
    if any(host.is_null for host in hosts):
        return [_warning(domain, f"says that it takes no mail (RFC 7505); {cure}")]
    here, notes = await _whether_here(resolver, domain, hosts, addresses, hostname)
    if not here:
        names = ", ".join(host.name for host in hosts)
        notes.append(_warning(domain, f"its mail goes to {names}, and not here; {cure}"))
    return notes or [_fine(domain, f"its mail comes here (MX {', '.join(h.name for h in hosts)})")]


async def _whether_here(
    resolver: Resolver,
    domain: str,
    hosts: Sequence[MailHost],
    addresses: frozenset[str],
    hostname: str,
) -> tuple[bool, list[Note]]:
    """Return whether one of the mail hosts is this one, and notes of those without an address."""
    found = await resolver.addresses_of_each([host.name for host in hosts])
    notes, here = [], False
    for host, answer in zip(hosts, found, strict=True):
        here |= host.name == hostname.lower() or bool(addresses & set(answer or ()))
        if answer is not None and not answer:
            notes.append(_warning(domain, f"its MX {host.name} has no address"))
    return here, notes


async def _spf_notes(resolver: Resolver, domain: str) -> list[Note]:
    """Look whether there is one record that names who sends for a domain (RFC 7208 §3.2)."""
    records = [text for text in await resolver.texts(domain) if _SPF.match(text)]
    return list(_spf_words(domain, records))


def _spf_words(domain: str, records: Sequence[bytes]) -> Iterator[Note]:
    if not records:
        text = (
            'has no SPF record, and many servers mistrust its mail; publish: TXT "v=spf1 mx -all"'
        )
        yield _warning(domain, text)
    elif len(records) > 1:
        yield _warning(
            domain, f"has {len(records)} SPF records, which is as good as none: keep one"
        )
    else:
        shown = records[0][:200].decode("ascii", "backslashreplace")
        yield _fine(domain, f"has an SPF record ({shown})")
