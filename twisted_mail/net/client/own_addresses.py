"""Which addresses are this machine's."""

import ipaddress
import socket


def is_own_address(address: str) -> bool:
    """Return whether one of this machine's interfaces has a numeric address.

    The system is asked, each time anew: it lets a socket be bound to no other. So does it to addresses
    that are no interface's, as 0.0.0.0 and those of multicast, about which this is not to be asked.
    """
    try:
        version = ipaddress.ip_address(address).version  # a name would be looked up
    except ValueError:
        return False
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as kernel:
            kernel.bind((address, 0))
    except OSError:
        return False
    return True
