"""Endpoint strings, read without listening: what they mean, and whether they leave this machine."""

import ipaddress
import os
import re
from dataclasses import dataclass
from typing import Any

from twisted.internet.endpoints import StandardIOEndpoint, serverFromString

from twisted_mail.config.mistakes import suggestion

# Those of Twisted itself; plugins may add more, which Twisted finds.
_KNOWN = ("tcp", "tcp6", "unix", "ssl", "systemd", "haproxy")
# These read files or the environment that only the server has when it starts.
_LATE = ("systemd", "ssl", "haproxy")
_MAX_SOCKET_PATH = 107  # octets, and a NUL: sun_path of unix(7)
EVERYWHERE = "::"  # with IPv4, as a port without an interface is
_UNKNOWN_PART = re.compile("unexpected keyword argument ('[^']*')")  # 3.13 adds "Did you mean"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint string as a value: a port of an interface, a UNIX socket, or neither (``kind``).

    ``trouble`` says why it cannot be made, such as a key file that is missing.
    """

    kind: str
    port: int = 0
    interface: str = ""
    path: str = ""
    trouble: str = ""

    @property
    def is_local(self) -> bool:
        """Return whether only this machine can connect."""
        if self.kind == "unix":
            return True
        if self.interface == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.interface).is_loopback
        except ValueError:
            return False

    @property
    def identity(self) -> tuple[object, ...] | None:
        """Return what two listeners cannot share, or None where they may."""
        if self.kind == "unix":
            return ("unix", self.path)
        return ("tcp", self.port, self.interface or EVERYWHERE) if self.port else None


def parse(text: str) -> Endpoint:
    """Read an endpoint string (``twisted.internet.endpoints.serverFromString``).

    Raises ValueError with a text for people.
    """
    kind = text.partition(":")[0]
    try:
        endpoint: Any = serverFromString(None, text)  # type: ignore[no-untyped-call]
    except ValueError as error:
        if "Unknown endpoint type" in str(error):
            raise ValueError(
                f"there is no endpoint type {kind!r}{suggestion(kind, _KNOWN)}"
            ) from None
        raise ValueError(f"{text!r} is not an endpoint: {_plain(error)}") from None
    except Exception as error:  # the parser of a plugin may raise anything
        if kind in _LATE and isinstance(error, LookupError):  # sockets that systemd has yet to pass
            return Endpoint(kind)
        if kind in _LATE and isinstance(error, OSError):
            return Endpoint(kind, trouble=str(error))
        raise ValueError(f"{text!r} is not an endpoint: {_plain(error)}") from None
    if isinstance(endpoint, StandardIOEndpoint):  # its one client is there already, and never ends
        raise ValueError("a listener cannot have the server's standard input")
    port = getattr(endpoint, "_port", 0)
    if not 0 <= port <= 65535:
        raise ValueError(f"the port must be from 0 to 65535, not {port}")
    path = getattr(endpoint, "_address", "")
    if len(os.fsencode(path)) > _MAX_SOCKET_PATH:
        raise ValueError(f"the path of a socket has at most {_MAX_SOCKET_PATH} octets")
    return Endpoint(kind, port, getattr(endpoint, "_interface", ""), path)


def _plain(error: Exception) -> str:
    text = str(error)
    if "missing" in text and "'port'" in text:
        return "the port is missing, as in 'tcp:143'"
    if unknown := _UNKNOWN_PART.search(text):
        return f"it has no part named {unknown[1]}"
    if "invalid literal for int()" in text:
        return f"{text.rpartition(': ')[2]} is not a number"
    return text or type(error).__name__
