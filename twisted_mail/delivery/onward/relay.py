"""The relay, or smarthost: one host that all mail for other domains is handed to."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from twisted_mail.delivery.onward.mail_hosts import is_host_name
from twisted_mail.mail.address import parse_domain

PORTS = {"smtp": 587, "smtps": 465}  # RFC 6409 §3.1, RFC 8314 §3.3


@dataclass(frozen=True, slots=True)
class Relay:
    """A host by its name or numeric address, its port, and whether the connection begins with TLS."""

    host: str
    port: int
    has_implicit_tls: bool

    @property
    def is_numeric(self) -> bool:
        """Return whether the host is given by its address."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True

    @property
    def site(self) -> str:
        """Return how the site is called."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_relay(text: str) -> Relay:
    """Read ``smtp://relay.example.net``, ``smtps://relay.example.net:465``. Raises ValueError."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _not_a_relay(text) from None
    if parts.scheme not in PORTS or not parts.hostname or port == 0 or _has_more(parts):
        raise _not_a_relay(text)
    host = _host(parts.hostname)
    if host is None:
        raise ValueError(f"{parts.hostname!r} is neither a host name nor an address")
    return Relay(host, port or PORTS[parts.scheme], parts.scheme == "smtps")


def _has_more(parts: SplitResult) -> bool:
    is_login = parts.username is not None or parts.password is not None
    return is_login or parts.path not in ("", "/") or bool(parts.query or parts.fragment)


def _not_a_relay(text: str) -> ValueError:
    return ValueError(
        f"{text!r} is not of the form 'smtp://relay.example.net:587' or 'smtps://relay.example.net'"
    )


def _host(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        name = parse_domain(text)
    except ValueError:
        return None
    return name if is_host_name(name) else None
