"""Line ends that are LF alone, and become CRLF.

In chunks they are repaired for everybody: octets are counted to the end of a chunk, so nobody can be made
to see it elsewhere. From devices that are trusted not to smuggle by them every LF that stands alone is
read as CRLF, in commands and in messages, even in the end of a message. So a client that passes on what
strangers wrote must never be among them.
"""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from twisted_mail.interfaces import Wire
from twisted_mail.mail.line_ends import LfRepair
from twisted_mail.smtp.stream.wire_wrapper import WireWrapper

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=16)
def parse_networks(texts: tuple[str, ...]) -> Sequence[Network]:
    """Return the networks that texts name, such as ``192.0.2.0/24``. Raises ValueError."""
    return [ipaddress.ip_network(text) for text in texts]


def is_in_networks(host: str, texts: tuple[str, ...]) -> bool:
    """Return whether a numeric address lies in one of the networks."""
    if not host:
        return False
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in parse_networks(texts))


class LfRepairWire(WireWrapper):
    """A wire on which LF alone arrives as CRLF; ``repair`` is for what came before it was made."""

    __slots__ = ("repair",)

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self.repair = LfRepair()

    async def read(self, timeout: float) -> bytes:
        """Return the bytes that came, mended."""
        return self.repair(await super().read(timeout))
