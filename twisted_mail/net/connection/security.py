"""The TLS of one connection, and what its listener allows."""

from dataclasses import dataclass
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime, ISSLTransport

from twisted_mail.interfaces import TlsInfo
from twisted_mail.net.connection.tls import Certificates, drop_tls, tls_info

HANDSHAKE_SECONDS = 30.0  # how long a TLS handshake may take


@dataclass(frozen=True, slots=True)
class ListenerSecurity:
    """What one listener allows: certificates (None: no TLS), TLS first, passwords in clear."""

    certificates: Certificates | None = None
    is_implicit: bool = False
    takes_cleartext_passwords: bool = False


class ConnectionSecurity:
    """The TLS of one connection: not there, in its handshake, or on.

    ``is_on`` is true from the start of the handshake.
    """

    __slots__ = ("_handshake", "_last_info", "_transport", "is_on")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._handshake: IDelayedCall | None = None  # cuts off a peer that does not finish it
        self._last_info: TlsInfo | None = None  # of the TLS there was, once the connection is lost
        self.is_on = ISSLTransport.providedBy(transport)

    @property
    def info(self) -> TlsInfo | None:
        """Return the TLS that is on or, once the connection is lost, was on."""
        if not self.is_on:
            return None
        return self._last_info or tls_info(self._transport.getHandle())

    def start(self, certificates: Certificates | None, reactor: IReactorTime) -> None:
        """Speak TLS from the next byte on."""
        self.is_on = True
        self._handshake = reactor.callLater(HANDSHAKE_SECONDS, self._handshake_failed)
        self._transport.startTLS(certificates)

    def handshake_completed(self) -> None:
        """Wait for the handshake no longer."""
        handshake, self._handshake = self._handshake, None
        if handshake is not None:
            handshake.cancel()

    def _handshake_failed(self) -> None:
        self._handshake = None
        self._transport.abortConnection()

    def connection_lost(self) -> None:
        """Keep what there is to know about the TLS, and release the rest."""
        self.handshake_completed()  # or it never will be
        if self.is_on:
            self._last_info = tls_info(self._transport.getHandle())
            drop_tls(self._transport)
