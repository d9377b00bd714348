"""What an operator may set for mail to other hosts."""

from dataclasses import dataclass
from typing import Literal

from twisted_mail.delivery.onward.dial_order import Families
from twisted_mail.delivery.onward.dialing_rules import read_network
from twisted_mail.delivery.onward.relay import Relay, parse_relay

RelayTls = Literal["none", "may", "encrypt", "verify"]


@dataclass(frozen=True, slots=True)
class SendingSettings:
    """The section ``[sending]``.

    ``relay`` is the host that gets all mail for other domains, as ``smtp://relay.example.net:587``;
    without one each domain's mail hosts do. ``relay_login`` is a file with a name and a password, each in
    a line of its own; a relative path begins at the state folder. ``relay_tls`` is what is demanded of
    TLS there, and ``authorities`` a PEM file with those that are trusted, instead of the system's.
    ``families`` are the versions of IP that are used, and ``allows_private`` networks that are dialled
    although they are not public. ``port`` is that of mail hosts: other than 25 in laboratories only.

    ``connections`` are all at a time; ``site_connections`` those to one site, which begins with
    ``first_connections``; ``address_connections`` those to one address. A connection is used for so many
    ``messages`` and ``age`` seconds at most, and waits ``idle`` seconds for more. One transaction has
    ``recipients`` at most. What is signed and has octets above 127 is sent as it is to a host that takes
    ASCII alone where ``sends_signed_8bit``, and else refused.
    """

    relay: str = ""
    relay_login: str = ""
    relay_tls: RelayTls = "verify"
    authorities: str = ""
    families: Families = "both"
    allows_private: tuple[str, ...] = ()
    port: int = 25
    connections: int = 500
    site_connections: int = 20
    first_connections: int = 2
    address_connections: int = 10
    messages: int = 100
    age: float = 300.0
    idle: float = 5.0
    recipients: int = 100
    sends_signed_8bit: bool = True

    def __post_init__(self) -> None:
        for network in self.allows_private:
            read_network(network)
        self._check_relay()
        if not 0 < self.port < 65536:
            raise ValueError("port must be 1 to 65535")
        numbers = self.connections, self.site_connections, self.first_connections
        if min(*numbers, self.address_connections, self.messages, self.recipients) < 1:
            raise ValueError("connections, messages and recipients must be 1 or more")
        if self.age <= 0:
            raise ValueError("age must be more than 0")

    def _check_relay(self) -> None:
        relay = self.next_relay
        if relay is None and self.relay_login:
            raise ValueError("relay_login is for a relay, and there is none")
        if self.relay_login and self.relay_tls in ("none", "may"):
            raise ValueError(
                "relay_login needs relay_tls = 'verify' or 'encrypt': no password goes in clear"
            )
        if relay is not None and relay.has_implicit_tls and self.relay_tls == "none":
            raise ValueError("a relay at smtps:// speaks TLS; relay_tls cannot be 'none'")

    @property
    def next_relay(self) -> Relay | None:
        """Return the relay as a value, or None."""
        return parse_relay(self.relay) if self.relay else None
