"""One question to the DNS, by dnspython: servers in turn, and over TCP if the answer was truncated.

The servers that are asked resolve names from the root; this asks only them.
"""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.inet
import dns.message
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from twisted_mail.mail.dns import MailHost, TlsaRecord
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.net.dns.sockets import ReactorBackend

PORT = 53
SYSTEM_SERVERS = Path("/etc/resolv.conf")
MAX_VALUES = 100  # of an answer; more is nonsense or malice
PAYLOAD = 1232  # octets that we accept in one datagram: no network fragments them (RFC 6891 §6.2.5)
_TRY_SECONDS = 2.0  # for one server, before the next is asked

NO_ANSWER = Outcome(451, "4.4.3", "The DNS does not answer now; try again later")


@dataclass(frozen=True, slots=True)
class DnsReply:
    """An answer, for how many seconds it may be cached, whether there is such a name, and its own one.

    ``canonical`` is that behind CNAMEs, or empty.
    """

    values: tuple[Any, ...]
    is_authentic: bool
    seconds: float
    exists: bool = True
    canonical: str = ""


class StubResolver:
    """Asks the servers given, as ``("192.0.2.53", 53)``; without any, those of /etc/resolv.conf."""

    def __init__(
        self, reactor: Any, servers: Sequence[tuple[str, int]] = (), timeout: float = 5.0
    ) -> None:
        self._backend = ReactorBackend(reactor)
        self._resolver = _resolver(servers, timeout)
        self._are_local = all(_is_local(one) for one in _addresses(self._resolver))

    async def ask(self, name: dns.name.Name, kind: str) -> DnsReply:
        """Return the records of a kind of ``_READERS`` of a name. Raises Unavailable."""
        try:
            answer = await self._resolver.resolve(
                name, kind, search=False, raise_on_no_answer=False, backend=self._backend
            )
        except dns.resolver.NXDOMAIN as error:
            return self._nothing(error.response(name))  # type: ignore[no-untyped-call]
        except (dns.exception.DNSException, OSError, EOFError) as error:
            raise Unavailable(NO_ANSWER) from error
        is_authentic = _is_local(answer.nameserver) and bool(answer.response.flags & dns.flags.AD)
        found: Any = list(answer.rrset or ())[:MAX_VALUES]
        values = sorted(_READERS[kind](one) for one in found)
        ttl = answer.chaining_result.minimum_ttl
        return DnsReply(tuple(values), is_authentic, ttl, canonical=_behind(name, answer))

    def _nothing(self, response: dns.message.QueryMessage) -> DnsReply:
        """Return the reply that there is no such name, with its time to live (RFC 2308 §5).

        It may come from any of the servers, so all have to be on this host for it to be authentic.
        """
        is_authentic = self._are_local and bool(response.flags & dns.flags.AD)
        seconds = response.resolve_chaining().minimum_ttl
        return DnsReply((), is_authentic, seconds, exists=False)


def _resolver(servers: Sequence[tuple[str, int]], timeout: float) -> dns.asyncresolver.Resolver:
    resolver = dns.asyncresolver.Resolver(configure=False)
    if servers:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in servers]
    else:
        _read_system(resolver)
    resolver.lifetime = timeout
    resolver.timeout = min(_TRY_SECONDS, timeout)
    resolver.use_edns(0, 0, PAYLOAD)
    # AD in a question asks for AD in the answer (RFC 6840 §5.7).
    resolver.flags = dns.flags.RD | dns.flags.AD
    return resolver


def _read_system(resolver: dns.asyncresolver.Resolver) -> None:
    """Take the servers of the system; of its file, what is of no use is passed over."""
    try:
        text = SYSTEM_SERVERS.read_text("utf-8", "replace")
        lines = [line for line in text.splitlines() if _is_useful(line.split())]
        resolver.read_resolv_conf(StringIO("\n".join(lines)))
    except (OSError, dns.resolver.NoResolverConfiguration):
        resolver.nameservers = ["127.0.0.1"]  # as resolv.conf(5) says


def _is_useful(words: Sequence[str]) -> bool:
    match words:
        case ["nameserver", address, *_]:
            return dns.inet.is_address(address)
        case ["options", *_]:
            return True
    return False


def _addresses(resolver: dns.asyncresolver.Resolver) -> list[str]:
    """Return the numeric addresses of the servers that are asked."""
    return [
        one if isinstance(one, str) else str(one.answer_nameserver())
        for one in resolver.nameservers
    ]


def _is_local(address: str | None) -> bool:
    """Return whether nobody can have altered an answer on its way from a server."""
    return address is not None and ipaddress.ip_address(address).is_loopback


# ---------------------------------------------------------------- values


def _behind(name: dns.name.Name, answer: dns.resolver.Answer) -> str:
    """Return the name that CNAMEs led to, or the empty text."""
    canonical = answer.canonical_name
    return _name(canonical) if canonical != name else ""


def _name(name: dns.name.Name) -> str:
    """Return a name as text in ASCII, odd octets escaped; empty for the root."""
    return name.to_text(omit_final_dot=True).lower() if name != dns.name.root else ""


_READERS: dict[str, Callable[[Any], Any]] = {
    "A": lambda data: str(data.address),
    "AAAA": lambda data: str(data.address),
    "PTR": lambda data: _name(data.target),
    "MX": lambda data: MailHost(data.preference, _name(data.exchange)),
    "TXT": lambda data: b"".join(data.strings),
    "CNAME": lambda data: _name(data.target),
    "TLSA": lambda data: TlsaRecord(data.usage, data.selector, data.mtype, bytes(data.cert)),
}


def to_name(text: str) -> dns.name.Name | None:
    """Read a name, label by label; None for what cannot be one."""
    try:
        labels = [label.encode("ascii") for label in text.removesuffix(".").split(".")]
        return dns.name.Name([*labels, b""])
    except (UnicodeEncodeError, dns.exception.DNSException):
        return None
