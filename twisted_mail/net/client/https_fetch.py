"""Small texts from strangers' web servers: MTA-STS policies (RFC 8461 §3.3).

The server has to prove its name, redirects are not followed, and all that it sends is bounded. Its
address is found and judged by us: a stranger's DNS is no reason to dial into our own network.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from OpenSSL import crypto
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.ssl import (
    Certificate,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from twisted_mail.interfaces import Clock, Resolver
from twisted_mail.mail.outcome import MailError, Unavailable
from twisted_mail.net.client.http_client import NO_ANSWER, BodyReader

MAX_FETCHES = 20  # at a time; further ones wait
MAX_HEADERS = 32 * 1024  # octets besides the text itself
MAX_LATE = 100  # results that came when nobody waited for them any more, and that are kept ...
LATE_SECONDS = 300.0  # ... so long, for who asks again
CONNECT_SECONDS = 10.0
MAX_ADDRESSES = 4  # of a server that are dialled
OK = 200


class HttpsFetcher:
    """Fulfils ``interfaces.PolicyFetch``. Reactor thread only.

    ``objection`` returns why an address is not dialled, or the empty text. ``authorities`` is a PEM file
    of those that are trusted; if it is empty, those of the system are. What is being fetched already is
    fetched once for all who ask, and goes on if they stop waiting: who asks again has the result, be it
    that there is none.
    """

    def __init__(
        self,
        reactor: Any,
        resolver: Resolver,
        clock: Clock,
        objection: Callable[[str], str],
        authorities: str = "",
        port: int = 443,
    ) -> None:
        endpoints = _Endpoints(reactor, resolver, objection, authorities)
        pool = HTTPConnectionPool(reactor, persistent=False)  # type: ignore[no-untyped-call]
        self._agent = Agent.usingEndpointFactory(reactor, endpoints, pool)  # type: ignore[no-untyped-call]
        self._clock = clock
        self._port = port
        self._turns = DeferredSemaphore(MAX_FETCHES)
        self._under_way: dict[str, list[Deferred[bytes]]] = {}
        self._late: dict[str, tuple[float, Any]] = {}  # since when they wait for somebody

    async def fetch(self, host: str, path: str, limit: int, seconds: float) -> bytes:
        """Return what ``https://HOST/PATH`` has as plain text."""
        where = f"{host}:{self._port}" if self._port != 443 else host
        url = f"https://{where}{path}"
        waiting: Deferred[bytes] = Deferred()
        came, result = self._late.pop(url, (-LATE_SECONDS, None))
        if self._clock.monotonic() - came < LATE_SECONDS:
            waiting.callback(result)
        elif url in self._under_way:
            self._under_way[url].append(waiting)
        else:
            self._under_way[url] = [waiting]
            self._begin(url, limit, seconds)
        return await waiting

    def _begin(self, url: str, limit: int, seconds: float) -> None:
        fetching = Deferred.fromCoroutine(self._within(url, limit, seconds))
        fetching.addBoth(self._answer_all, url)

    def _answer_all(self, result: Any, url: str) -> None:
        waiting = [one for one in self._under_way.pop(url) if not one.called]
        for one in waiting:
            one.callback(result)  # a Failure here becomes an errback
        if not waiting:
            self._late[url] = self._clock.monotonic(), result
        if len(self._late) > MAX_LATE:
            del self._late[next(iter(self._late))]

    async def _within(self, url: str, limit: int, seconds: float) -> bytes:
        try:
            return await self._clock.within(seconds, self._in_turn(url, limit))
        except MailError:
            raise
        except (
            Exception
        ) as error:  # HTTP, TLS, DNS and sockets fail in many ways: all mean the same
            raise Unavailable(NO_ANSWER) from error
        except CancelledError:
            raise Unavailable(NO_ANSWER) from None

    async def _in_turn(self, url: str, limit: int) -> bytes:
        """Wait for a turn, which counts: others' slow servers make nobody wait for longer."""
        found: bytes = await self._turns.run(lambda: Deferred.fromCoroutine(self._get(url, limit)))
        return found

    async def _get(self, url: str, limit: int) -> bytes:
        response: Any = await self._agent.request(b"GET", url.encode("ascii"))
        kind = (response.headers.getRawHeaders("content-type") or [""])[0]
        answer: Deferred[bytes] = Deferred(lambda _: reader.stop())
        reader = BodyReader(answer, limit)
        is_text = kind.partition(";")[0].strip().lower() == "text/plain"
        response.deliverBody(reader)
        if response.code != OK or not is_text:
            answer.addErrback(lambda _: b"")  # nobody wants it
            answer.cancel()
            raise Unavailable(NO_ANSWER)
        return await answer


@implementer(IAgentEndpointFactory)
class _Endpoints:
    """Makes the endpoints of servers, by their names."""

    def __init__(
        self, reactor: Any, resolver: Resolver, objection: Callable[[str], str], authorities: str
    ) -> None:
        self.reactor = reactor
        self.resolver = resolver
        self.objection = objection
        self.trust = _authorities(authorities) if authorities else platformTrust()  # type: ignore[no-untyped-call]

    def endpointForURI(self, uri: Any) -> "_CheckedEndpoint":
        """Return where a server is (called by Agent)."""
        return _CheckedEndpoint(self, uri.host.decode("ascii"), uri.port)


def _authorities(file: str) -> Any:
    found = x509.load_pem_x509_certificates(Path(file).read_bytes())
    made = [Certificate(crypto.X509.from_cryptography(one)) for one in found]  # type: ignore[no-untyped-call]
    return trustRootFromCertificates(made)  # type: ignore[no-untyped-call]


@implementer(IStreamClientEndpoint)
class _CheckedEndpoint:
    """A server whose addresses are asked for, and dialled if there is no objection to them."""

    def __init__(self, of: _Endpoints, host: str, port: int) -> None:
        self._of = of
        self._host = host
        self._port = port

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """Connect to the first address that can be reached (called by Agent)."""
        return Deferred.fromCoroutine(self._connect(WrappingFactory(factory)))  # type: ignore[no-untyped-call]

    async def _connect(self, factory: Any) -> Any:
        factory.protocol = _BoundedProtocol
        found = await self._of.resolver.addresses(self._host)
        addresses = [one for one in found.values if not self._of.objection(one)]
        for address in addresses[:MAX_ADDRESSES]:
            try:
                bounded = await self._endpoint(address).connect(factory)
            except ConnectError:
                continue
            return bounded.wrappedProtocol
        raise Unavailable(NO_ANSWER)

    def _endpoint(self, address: str) -> Any:
        kind = TCP6ClientEndpoint if ":" in address else TCP4ClientEndpoint
        tcp = kind(self._of.reactor, address, self._port, CONNECT_SECONDS)
        options = optionsForClientTLS(self._host, self._of.trust)
        return wrapClientTLS(options, tcp)


class _BoundedProtocol(ProtocolWrapper):
    """Ends the connection of a server that sends too much, in headers as in its text."""

    left = MAX_HEADERS + 64 * 1024

    def dataReceived(self, data: bytes) -> None:
        """Hand on what came, if it is not too much."""
        self.left -= len(data)
        if self.left < 0:
            transport: Any = self.transport
            transport.abortConnection()
        else:
            super().dataReceived(data)  # type: ignore[no-untyped-call]

    def loseConnection(self) -> None:
        """End the connection now: nothing is left to send, and a stranger may never end his side."""
        self.disconnecting = 1
        transport: Any = self.transport
        transport.abortConnection()
