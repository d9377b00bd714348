"""Which addresses an attempt dials, one after the other (RFC 5321 §5.1, RFC 3974 §3)."""

import random
from collections.abc import Callable, Sequence
from typing import Literal

from twisted_mail.delivery.onward.mail_hosts import HostAddresses, ip_version

MAX_HOSTS = 5  # hosts that one attempt dials ...
MAX_ADDRESSES = 10  # ... and addresses of all of them

Families = Literal["both", "ipv4", "ipv6"]
Place = tuple[str, str]  # the name of a host, and one of its addresses

VERSIONS = {"both": (6, 4), "ipv4": (4,), "ipv6": (6,)}


def dial_order(
    hosts: Sequence[HostAddresses],
    families: Families = "both",
    avoids: int = 0,
    shuffle: Callable[[list[str]], None] = random.shuffle,
) -> list[Place]:
    """Return what is dialled: hosts in their order, of each host IPv6 first, and both versions of IP.

    Addresses of one host and version are mixed. The IP version that is to be avoided is left out, unless
    nothing else is there.
    """
    versions = VERSIONS[families]
    wanted = [one for one in versions if one != avoids] or list(versions)
    found = _ordered(hosts, wanted, shuffle)
    return found or _ordered(hosts, versions, shuffle)


def _ordered(
    hosts: Sequence[HostAddresses], versions: Sequence[int], shuffle: Callable[[list[str]], None]
) -> list[Place]:
    columns = [(host.name, _by_version(host, versions, shuffle)) for host in hosts]
    columns = [(name, lists) for name, lists in columns if any(lists)][:MAX_HOSTS]
    numbers = _shares([sum(map(len, lists)) for _, lists in columns], MAX_ADDRESSES)
    return [
        (name, address)
        for (name, lists), number in zip(columns, numbers, strict=True)
        for address in _first(lists, number)
    ]


def _by_version(
    host: HostAddresses, versions: Sequence[int], shuffle: Callable[[list[str]], None]
) -> list[list[str]]:
    lists = [[one for one in host.addresses if ip_version(one) == version] for version in versions]
    for addresses in lists:
        shuffle(addresses)
    return lists


def _first(lists: Sequence[list[str]], number: int) -> list[str]:
    """Return so many of several lists, one after the other, each with its share."""
    shares = _shares([len(one) for one in lists], number)
    return [
        one for addresses, share in zip(lists, shares, strict=True) for one in addresses[:share]
    ]


def _shares(sizes: Sequence[int], number: int) -> list[int]:
    """Return how many of each are taken, in turns, until there are ``number``."""
    shares = [0] * len(sizes)
    for turn in range(max(sizes, default=0)):
        for at, size in enumerate(sizes):
            if turn < size and sum(shares) < number:
                shares[at] += 1
    return shares


def prefer(order: Sequence[Place], place: Place) -> list[Place]:
    """Return the order with one place first, if it is among them.

    A host that has put a message off for being new (greylisting) wants to see it come back from the same
    address, to the same host.
    """
    return sorted(order, key=lambda one: one != place)
