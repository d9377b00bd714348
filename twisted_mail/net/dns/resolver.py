"""The DNS resolver of the server, with a cache of its answers.

The same question is asked once, however many wait for its answer. ``MAX_QUERIES`` questions run at a
time, each on a socket of its own, and ``MAX_WAITING`` more wait; a further one fails at once.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Awaitable, Sequence
from typing import Any, Protocol

import dns.name
import dns.reversename
from twisted.internet.defer import Deferred, DeferredSemaphore

from twisted_mail.interfaces import Clock
from twisted_mail.mail.dns import DnsAnswer, IpVersion, MailHost
from twisted_mail.mail.outcome import MailError, Outcome, Unavailable
from twisted_mail.net.dns.stub_resolver import NO_ANSWER, DnsReply, to_name

MAX_QUERIES = 100  # questions that run at a time: each takes a descriptor
MAX_WAITING = 1000  # questions that wait for their turn
MAX_CACHED = 10_000  # answers
MAX_CACHED_SIZE = 16 * 1024  # octets, about, of an answer
LEAST_SECONDS, MOST_SECONDS = 5.0, 3600.0  # how long an answer is cached, whatever its TTL

BUSY = Outcome(451, "4.3.2", "Too many questions to the DNS; try again later")

Key = tuple[dns.name.Name, str]


class QueryDns(Protocol):
    """Asks one question, as ``StubResolver.ask`` does."""

    def __call__(self, name: dns.name.Name, kind: str) -> Awaitable[DnsReply]:
        """Return the reply. Raises Unavailable."""


class DnsResolver:
    """Fulfils ``interfaces.Resolver``; ``ask`` asks one question within its own time limit."""

    def __init__(self, ask: QueryDns, clock: Clock, most_asked: int = MAX_QUERIES) -> None:
        self._ask = ask
        self._clock = clock
        self._semaphore = DeferredSemaphore(most_asked)
        self._cache: OrderedDict[Key, tuple[float, DnsAnswer[Any]]] = OrderedDict()
        self._running: dict[Key, list[Deferred[DnsAnswer[Any]]]] = {}
        self._most = most_asked + MAX_WAITING

    # ------------------------------------------------------------ the door

    async def addresses(self, name: str, version: IpVersion | None = None) -> DnsAnswer[str]:
        """Return the numeric addresses of a name."""
        key = to_name(name)
        if version is not None:
            return await self._find(key, "A" if version == 4 else "AAAA")
        # Both are asked for at once; either is enough.
        [first, second] = await self._find_each([(key, "AAAA"), (key, "A")])
        if not first and not second and (first is None or second is None):
            raise Unavailable(NO_ANSWER)
        return _together(first, second)

    async def addresses_of_each(
        self, names: Sequence[str], version: IpVersion | None = None
    ) -> Sequence[DnsAnswer[str] | None]:
        """Return the addresses of several names, asked at once."""
        kinds = {4: ["A"], 6: ["AAAA"], None: ["AAAA", "A"]}[version]
        found = [await self._find_each([(to_name(name), kind) for name in names]) for kind in kinds]
        if len(found) == 1:
            return found[0]
        pairs = zip(*found, strict=True)
        return [
            _together(one, other) if one or other or None not in (one, other) else None
            for one, other in pairs
        ]

    async def names(self, address: str) -> DnsAnswer[str]:
        """Return the names of a numeric address."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return DnsAnswer()
        mapped = getattr(found, "ipv4_mapped", None) or found
        return await self._find(dns.reversename.from_address(str(mapped)), "PTR")

    async def mail_hosts(self, domain: str) -> DnsAnswer[MailHost]:
        """Return the MX records of a domain."""
        return await self._find(to_name(domain), "MX")

    async def texts(self, name: str) -> DnsAnswer[bytes]:
        """Return the TXT records of a name."""
        return await self._find(to_name(name), "TXT")

    # ------------------------------------------------------------ asking

    async def _find(self, name: dns.name.Name | None, kind: str) -> DnsAnswer[Any]:
        if name is None:
            return DnsAnswer()
        key = name.canonicalize(), kind
        known = self._recall(key)
        return await self._answer(key) if known is None else known

    async def _find_each(
        self, wanted: Sequence[tuple[dns.name.Name | None, str]]
    ) -> list[DnsAnswer[Any] | None]:
        trials = [Deferred.fromCoroutine(self._try(*each)) for each in wanted]
        return [await each for each in trials]

    async def _try(self, name: dns.name.Name | None, kind: str) -> DnsAnswer[Any] | None:
        try:
            return await self._find(name, kind)
        except MailError:
            return None

    def _recall(self, key: Key) -> DnsAnswer[Any] | None:
        until, answer = self._cache.get(key, (0.0, None))
        if answer is None or until <= self._clock.monotonic():
            return None
        self._cache.move_to_end(key)
        return answer

    def _answer(self, key: Key) -> Deferred[DnsAnswer[Any]]:
        """Return the answer to come; cancelling it does not affect others that wait for it."""
        waiting: Deferred[DnsAnswer[Any]] = Deferred()
        others = self._running.get(key)
        if others is not None:
            others.append(waiting)
            return waiting
        if len(self._running) >= self._most:
            raise Unavailable(BUSY)
        self._running[key] = [waiting]
        self._semaphore.run(lambda: Deferred.fromCoroutine(self._question(key))).addBoth(
            self._answered, key
        )
        return waiting

    async def _question(self, key: Key) -> DnsAnswer[Any]:
        reply = await self._ask(*key)
        answer: DnsAnswer[Any] = DnsAnswer(reply.values, reply.is_authentic)
        self._store(key, answer, reply.seconds)
        return answer

    def _answered(self, result: Any, key: Key) -> None:
        for waiting in self._running.pop(key):
            if not waiting.called:
                waiting.callback(result)  # a Failure here becomes an errback

    def _store(self, key: Key, answer: DnsAnswer[Any], seconds: float) -> None:
        if sum(map(_size, answer.values)) > MAX_CACHED_SIZE:
            return
        seconds = min(max(seconds, LEAST_SECONDS), MOST_SECONDS)
        self._cache[key] = self._clock.monotonic() + seconds, answer
        self._cache.move_to_end(key)
        if len(self._cache) > MAX_CACHED:
            self._cache.popitem(last=False)


def _size(value: Any) -> int:
    return 100 + (len(value) if isinstance(value, (str, bytes)) else len(value.name))


def _together(first: DnsAnswer[str] | None, second: DnsAnswer[str] | None) -> DnsAnswer[str]:
    parts = [one for one in (first, second) if one is not None]
    return DnsAnswer(
        tuple(value for one in parts for value in one),
        all(one.is_authentic for one in parts) and len(parts) == 2,
    )
