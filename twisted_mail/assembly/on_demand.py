"""Parts that many servers never need: their modules are imported when they are first asked for.

The import is done in a thread, for it takes 10 to 60 ms of processor. That such a module is there is
looked for at once, and ``twisted-mail check`` imports all of ``MODULES``: no conversation is the first to
find out that an installation is broken.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Generic, TypeVar

from twisted_mail.interfaces import Blocking, HttpResponse, PolicyFetch, Resolver
from twisted_mail.mail.dns import DnsAnswer, IpVersion, MailHost, TlsaRecord

T = TypeVar("T")

DNS = "twisted_mail.net.dns.resolver"  # with dnspython
HTTP = "twisted_mail.net.client.http_client"  # with twisted.web
HTTPS = "twisted_mail.net.client.https_fetch"
MODULES = (DNS, HTTP, HTTPS)
# What might not be installed.
_NEEDED = {DNS: "dns.asyncresolver", HTTP: "twisted.web.client", HTTPS: "twisted.web.client"}


class OnDemand(Generic[T]):
    """What ``make`` makes of a module of ``MODULES``, on the reactor thread, when it is first needed.

    Raises ImportError at once if what the module needs is not installed.
    """

    def __init__(self, module: str, blocking: Blocking, make: Callable[[Any], T]) -> None:
        if find_spec(_NEEDED[module]) is None:
            raise ImportError(f"{_NEEDED[module]}, which {module} needs, is not installed")
        self._module = module
        self._blocking = blocking
        self._make = make
        self.made: T | None = None

    async def get(self) -> T:
        """Return it. Raises Unavailable when too much work is waiting for the threads."""
        if self.made is None:
            module = await self._blocking.run(import_module, self._module)
            if self.made is None:  # somebody else may have waited, too
                self.made = self._make(module)
        return self.made


class ResolverOnDemand:
    """Fulfils ``interfaces.Resolver`` by a resolver that the first question makes."""

    def __init__(self, parts: OnDemand[Resolver], asker: str = "") -> None:
        self._parts = parts
        self._asker = asker

    def asked_by(self, asker: str) -> "ResolverOnDemand":
        """Return the resolver for one of those who ask."""
        return ResolverOnDemand(self._parts, asker)

    async def _resolver(self) -> Resolver:
        return (await self._parts.get()).asked_by(self._asker)

    async def addresses(self, name: str, version: IpVersion | None = None) -> DnsAnswer[str]:
        """Return the numeric addresses of a name."""
        return await (await self._resolver()).addresses(name, version)

    async def addresses_of_each(
        self, names: Sequence[str], version: IpVersion | None = None
    ) -> Sequence[DnsAnswer[str] | None]:
        """Return the addresses of several names, asked at once."""
        return await (await self._resolver()).addresses_of_each(names, version)

    async def names(self, address: str) -> DnsAnswer[str]:
        """Return the names of a numeric address."""
        return await (await self._resolver()).names(address)

    async def mail_hosts(self, domain: str) -> DnsAnswer[MailHost]:
        """Return the MX records of a domain."""
        return await (await self._resolver()).mail_hosts(domain)

    async def texts(self, name: str) -> DnsAnswer[bytes]:
        """Return the TXT records of a name."""
        return await (await self._resolver()).texts(name)

    async def alias(self, name: str) -> DnsAnswer[str]:
        """Return the CNAME record of a name."""
        return await (await self._resolver()).alias(name)

    async def tlsa_of_each(self, names: Sequence[str]) -> Sequence[DnsAnswer[TlsaRecord] | None]:
        """Return the TLSA records of several names, asked at once."""
        return await (await self._resolver()).tlsa_of_each(names)


class PolicyFetchOnDemand:
    """Fulfils ``interfaces.PolicyFetch`` by what the first policy makes."""

    def __init__(self, fetcher: OnDemand[PolicyFetch]) -> None:
        self._fetcher = fetcher

    async def fetch(self, host: str, path: str, limit: int, seconds: float) -> bytes:
        """Return what a web server has as plain text."""
        return await (await self._fetcher.get()).fetch(host, path, limit, seconds)


class HttpClientOnDemand:
    """Fulfils ``interfaces.HttpClient`` by a client that the first request makes."""

    def __init__(self, client: OnDemand[Any]) -> None:
        self._client = client

    async def post(
        self,
        url: str,
        fields: Sequence[tuple[str, str]],
        size: int,
        body: AsyncIterator[bytes],
        limit: int,
    ) -> HttpResponse:
        """Send a request, and read the answer."""
        answer: HttpResponse = await (await self._client.get()).post(url, fields, size, body, limit)
        return answer

    async def close(self) -> None:
        """Close the connections that were kept."""
        if self._client.made is not None:
            await self._client.made.close()
