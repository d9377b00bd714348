"""Addresses that are never dialled because the DNS says so: mail is no port scanner.

Anybody can send mail to a domain whose MX leads to 127.0.0.1, or to a printer in our own network, and
read in the report what is there. Only addresses of the public internet are dialled, and those that the
operator allows.
"""

import ipaddress
from collections.abc import Callable, Collection, Sequence

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

# RFC 6890 and the IANA registries behind it, without the networks that are for documents.
_UNDIALLED: Sequence[tuple[str, Sequence[str]]] = (
    ("unspecified", ("0.0.0.0/8", "::/128")),
    ("loopback", ("127.0.0.0/8", "::1/128")),
    ("private", ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")),
    ("link-local", ("169.254.0.0/16", "fe80::/10", "fec0::/10")),
    ("multicast", ("224.0.0.0/4", "ff00::/8")),
    ("reserved", ("192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "100::/64")),
)
_NETWORKS = [(ipaddress.ip_network(text), kind) for kind, texts in _UNDIALLED for text in texts]
# IPv4 behind a translator: RFC 6052 §2.1, RFC 8215 (there with a prefix of 96 bits), RFC 2765 §2.1.
_TRANSLATED = [
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96")
]
_COMPATIBLE = ipaddress.IPv6Network("::/96")  # RFC 4291 §2.5.5.1

_OF_INTERFACES = ("", "private", "link-local")  # kinds of which this machine may have one

OURS = "ours"


def is_never_ours(_: str) -> bool:
    """Return False, where nobody knows which addresses are ours."""
    return False


class DialingRules:
    """Which addresses may be dialled that the DNS gives.

    ``allowed`` are networks that may be dialled although they are private: those of a laboratory, or of a
    company. ``is_ours`` returns whether an address is one of this machine's; within ``allowed`` it is not
    asked, for there several servers may share a machine. Raises ValueError for what is no network.
    """

    def __init__(
        self, allowed: Sequence[str] = (), is_ours: Callable[[str], bool] = is_never_ours
    ) -> None:
        self._allowed = [read_network(text) for text in allowed]
        self._is_ours = is_ours

    def objection(self, text: str, own: Collection[str] = ()) -> str:
        """Return why an address is not dialled, in a word, or the empty text where it is.

        ``own`` are further addresses of ours: those of our host name. What is no address is ``invalid``.
        """
        try:
            address = _plain(ipaddress.ip_address(text))
        except ValueError:
            return "invalid"
        if _is_in(address, self._allowed):
            return ""
        kind = next((kind for network, kind in _NETWORKS if _is_in(address, [network])), "")
        if kind in _OF_INTERFACES and (str(address) in own or self._is_ours(str(address))):
            return OURS
        return kind


def read_network(text: str) -> IpNetwork:
    """Read ``10.0.0.0/8``, ``2001:db8::/32`` or a single address. Raises ValueError."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a network, as in '10.0.0.0/8'") from None


def _is_in(address: IpAddress, networks: Sequence[IpNetwork]) -> bool:
    return any(one.version == address.version and address in one for one in networks)


def _plain(address: IpAddress) -> IpAddress:
    """Return the IPv4 address that a packet to an IPv6 one reaches in the end, where there is one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    embedded = address.ipv4_mapped or address.sixtofour
    is_low = address in _COMPATIBLE and int(address) > 1  # :: and ::1 are what they are
    if embedded is None and (is_low or _is_in(address, _TRANSLATED)):
        embedded = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return embedded or address
