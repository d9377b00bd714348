"""Networks of clients: reading them, and finding the one that an address is in."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

LOOPBACK = ("127.0.0.0/8", "::1/128")
IPV4_BITS, IPV6_BITS = 24, 64  # of a network that has one owner


@lru_cache(maxsize=1024)
def address_of(host: str) -> IpAddress | None:
    """Return a numeric address, an IPv4 one also where it is written in IPv6; None for a UNIX socket."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def network_of(host: str, ipv4_bits: int = IPV4_BITS, ipv6_bits: int = IPV6_BITS) -> str:
    """Return the network that an address is in, as text; a text that is no address stays as it is."""
    found = address_of(host)
    if found is None:
        return host
    bits = ipv4_bits if found.version == 4 else ipv6_bits
    return str(ipaddress.ip_network((found, bits), strict=False))


class Networks:
    """A set of networks, each as ``192.0.2.0/24``, ``2001:db8::/32`` or a single address.

    A client over a UNIX socket, whose host is empty, is in the set if ``unix`` is. Raises ValueError.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        texts = tuple(texts)
        self._has_unix = "unix" in texts
        self._networks = tuple(_read(text) for text in texts if text != "unix")

    def __contains__(self, host: str) -> bool:
        """Return whether an address is in one of them."""
        found = address_of(host)
        if found is None:
            return self._has_unix and not host
        return any(found.version == one.version and found in one for one in self._networks)


def _read(text: str) -> IpNetwork:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a network, as in '192.0.2.0/24'") from None
