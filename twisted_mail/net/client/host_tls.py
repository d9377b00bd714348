"""TLS as a client of mail hosts: unproven where it only has to hide, verified where a proof is demanded.

A host whose certificate nobody checks may have any, and keys of any strength: what it encrypts
badly is still better hidden than clear text (RFC 7435 §3). TLS 1.2 and up in any case (RFC 8996).
"""

from functools import cached_property
from typing import Any

from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from zope.interface import implementer

from twisted_mail.interfaces import TlsFailed
from twisted_mail.mail.trust import Demand, Proof, TlsLevel
from twisted_mail.net.client.certificate_names import has_name, is_address
from twisted_mail.net.client.tlsa_proof import tlsa_proof

MAX_REASON = 200  # characters

# The numbers of X509_verify_cert that are met in practice.
_FLAWS = {
    9: "is not valid yet",
    10: "has expired",
    18: "is signed by itself",
    19: "is signed by itself",
    20: "has an issuer that is not known here",
    21: "has an issuer that is not known here",
    23: "was revoked",
}


class HostTls:
    """Makes what begins TLS with a host.

    ``authorities`` is a PEM file of those that are trusted; if it is empty, those of the system are.
    """

    def __init__(self, authorities: str = "") -> None:
        self._authorities = authorities

    def creator(self, host: str, demand: Demand) -> "HostTlsCreator":
        """Return what begins TLS with a host, and demands a proof of it."""
        context = self._unproven
        if demand.level is TlsLevel.VERIFY:
            context = self._verifying
        elif demand.level is TlsLevel.DANE:
            context = self._recorded
        return HostTlsCreator(context, host, demand)

    @cached_property
    def _unproven(self) -> SSL.Context:
        return _context(b"DEFAULT:@SECLEVEL=0")

    @cached_property
    def _recorded(self) -> SSL.Context:
        return _context(b"DEFAULT")  # what is in TLSA records needs no authority

    @cached_property
    def _verifying(self) -> SSL.Context:
        context = _context(b"DEFAULT")
        if self._authorities:
            context.load_verify_locations(self._authorities)
        else:
            context.set_default_verify_paths()
        context.set_verify(SSL.VERIFY_PEER, _note_flaw)
        return context


def _context(ciphers: bytes) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_cipher_list(ciphers)
    return context


class _FlawConnection(SSL.Connection):
    """A TLS connection that knows what is wrong with the certificate of the other side."""

    flaw = ""


def _note_flaw(
    connection: SSL.Connection, certificate: crypto.X509, number: int, depth: int, is_good: int
) -> bool:
    """Keep what is wrong with a certificate, for the log (called by OpenSSL)."""
    if not is_good and isinstance(connection, _FlawConnection):
        which = "The certificate" if depth == 0 else "The issuer of the certificate"
        flaw = _FLAWS.get(number, f"cannot be verified ({number})")
        connection.flaw = f"{which} {flaw}"
    return bool(is_good)


@implementer(IOpenSSLClientConnectionCreator)
class HostTlsCreator:
    """Begins TLS on one connection to ``host``."""

    def __init__(self, context: SSL.Context, host: str, demand: Demand) -> None:
        self._context = context
        self._host = host
        self._demand = demand

    def clientConnectionForTLS(self, protocol: object) -> SSL.Connection:
        """Return a new TLS connection (called by Twisted)."""
        connection = _FlawConnection(self._context, None)
        name = self._demand.server_name or self._host
        if name and not is_address(name):
            connection.set_tlsext_host_name(name.encode("ascii", "replace"))  # RFC 6066 §3
        return connection

    def proof(self, connection: Any) -> Proof:
        """Return what the host has proven. Raises TlsFailed if that is not what is demanded."""
        demand = self._demand
        if demand.level is TlsLevel.DANE:
            return tlsa_proof(connection, demand.records, demand.names)
        if demand.level is not TlsLevel.VERIFY:
            return Proof(is_encrypted=True)
        proven = tuple(name for name in demand.names if has_name(connection, name))
        if not proven:
            raise TlsFailed(f"The certificate is not for {', '.join(demand.names)}")
        return Proof(True, proven)


def why(error: BaseException | None, connection: Any) -> str:
    """Return in words why a handshake failed."""
    if isinstance(connection, _FlawConnection) and connection.flaw:
        return connection.flaw
    if isinstance(error, SSL.Error) and error.args and isinstance(error.args[0], list):
        reasons = [str(one[2]) for one in error.args[0] if len(one) > 2 and one[2]]
        if reasons:
            return f"The TLS handshake failed: {', '.join(reasons)}"[:MAX_REASON]
    return "The TLS handshake failed: the connection was lost"
