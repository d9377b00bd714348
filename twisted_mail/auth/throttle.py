"""How long a failed login waits for its reply.

This makes guessing passwords slow; a login that succeeds is never delayed. Failures are counted for the
network of the peer and for the account that was named, and the longer delay applies. The delay runs from
the start of the attempt, so its length reveals nothing about what was checked.

A peer on this host (a webmail, a proxy) serves many people: for those only accounts are counted.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from twisted_mail.interfaces import Clock, Peer
from twisted_mail.mail.address import canonical_name
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.net.server.connection_count import ConnectionCounter, LocalConnectionCounter

FIRST_DELAY = 2.0  # seconds
LONGEST_DELAY = 15.0  # seconds; clients give up on a silent server after about 30
MEMORY_SECONDS = 900.0  # without a failure; then the count starts again
MAX_REMEMBERED = 10_000  # networks and accounts; of more, the oldest are forgotten
MAX_WAITING = 32  # delayed refusals of one network at the same time
_IPV4_PREFIX, _IPV6_PREFIX = 24, 56  # the addresses that one guesser usually has

TOO_MANY = Outcome(454, "4.7.0", "Too many failed logins, try again later")


class LoginThrottle(Protocol):
    """Slows down the guessing of passwords."""

    def admit(self, where: str) -> None:
        """Allow an attempt from a network, or raise Unavailable."""

    async def hold_back(self, name: str, peer: Peer, began: float) -> None:
        """Count a failed login, and return when the reply may be sent."""

    def forgive(self, name: str) -> None:
        """Forget an account's failures."""


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last: float = 0.0
    waiting: int = 0


@dataclass(slots=True)
class LocalThrottle:
    """Counts failed logins and holds their answers back. Fulfils ``LoginThrottle``.

    ``failing`` counts each account that has failures once, under its ``account_key``, so that other
    processes know where there is something to forgive.
    """

    clock: Clock
    failing: ConnectionCounter = field(default_factory=LocalConnectionCounter)
    _failures: OrderedDict[str, _Failures] = field(default_factory=OrderedDict)

    def admit(self, where: str) -> None:
        """Allow an attempt from a network.

        Raises Unavailable when ``MAX_WAITING`` refusals of this network are being delayed: with more
        connections a guesser would get around the delay.
        """
        found = self._failures.get(where)
        if found is not None and found.waiting >= MAX_WAITING:
            raise Unavailable(TOO_MANY)

    async def hold_back(self, name: str, peer: Peer, began: float) -> None:
        """Count a failed login, and return when the reply may be sent.

        ``began`` is the monotonic time of the attempt's start.
        """
        network_failures = self._counted(network(peer)) if network(peer) else _Failures()
        account_failures = self._counted(account_key(name))
        delay = _delay(max(network_failures.count, account_failures.count))
        network_failures.waiting += 1
        try:
            await self.clock.sleep(max(0.0, began + delay - self.clock.monotonic()))
        finally:
            network_failures.waiting -= 1

    def forgive(self, name: str) -> None:
        """Forget the account's failures: its owner has logged in.

        Those of the network stay: otherwise a guesser with one account could clear them at will.
        """
        if self._failures:  # in most servers, most of the time, there are none
            key = account_key(name)
            if self._failures.pop(key, None) is not None:
                self.failing.change(key, -1)

    def _counted(self, key: str) -> _Failures:
        now = self.clock.monotonic()
        failures = self._failures.get(key)
        if failures is None:
            failures = self._failures[key] = _Failures()
            self.failing.change(key, 1)
        if now - failures.last > MEMORY_SECONDS:
            failures.count = 0
        failures.count += 1
        failures.last = now
        self._failures.move_to_end(key)
        self._forget(now)
        return failures

    def _forget(self, now: float) -> None:
        """Drop what is old, and the oldest if there are too many."""
        while self._failures:
            oldest = next(iter(self._failures.values()))
            is_old = now - oldest.last > MEMORY_SECONDS
            if not is_old and len(self._failures) <= MAX_REMEMBERED:
                return
            key, _ = self._failures.popitem(last=False)
            self.failing.change(key, -1)


def _delay(count: int) -> float:
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(count - 1, 10))


def account_key(name: str) -> str:
    """Return the key under which the failures of an account are counted."""
    return f"account {canonical_name(name[:1000])[:255]}"


def network(peer: Peer) -> str:
    """Return the network that the peer's failures count for; empty for a peer on this host."""
    return _network(peer.host)


@lru_cache(1000)
def _network(host: str) -> str:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback:
        return ""
    prefix = _IPV4_PREFIX if address.version == 4 else _IPV6_PREFIX
    return str(ipaddress.ip_network((address, prefix), strict=False))
