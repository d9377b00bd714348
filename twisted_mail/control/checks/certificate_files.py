"""The files in the folder of certificates: what they are for, and what is wrong with them."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from OpenSSL import SSL

from twisted_mail.control.checks.certificate_chain import chain_warnings
from twisted_mail.net.connection.pem import read_chain
from twisted_mail.net.connection.tls import read_key_file

SOON = timedelta(days=14)
HANDSHAKE_STEPS, MAX_FLIGHT = 6, 1 << 20  # of a handshake, and octets of each


@dataclass(frozen=True, slots=True)
class CertificateFinding:
    """One certificate file: the names of its certificate, its expiry, and what is wrong with it.

    ``faults`` keep it from being used, ``warnings`` do not.
    """

    path: Path
    names: tuple[str, ...] = ()
    expires: datetime | None = None
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def inspect_folder(folder: Path, now: datetime | None = None) -> list[CertificateFinding]:
    """Read every ``*.pem`` file of a folder. Raises OSError when the folder cannot be read."""
    os.listdir(folder)  # Path.glob does not report a folder that it may not read
    now = now or datetime.now(UTC)
    return [_finding(path, now) for path in sorted(folder.glob("*.pem"))]


def covers(finding: CertificateFinding, hostname: str) -> bool:
    """Return whether a usable certificate is valid for a host name (RFC 6125 §6.4)."""
    wildcard = "*." + hostname.partition(".")[2]
    return not finding.faults and (hostname in finding.names or wildcard in finding.names)


def _finding(path: Path, now: datetime) -> CertificateFinding:
    fault = _server_fault(path)
    try:
        chain = read_chain(path.read_bytes())
    except (OSError, ValueError):
        return CertificateFinding(path, faults=(fault,))
    faults = [one for one in (fault, _time_fault(chain[0], now)) if one]
    warnings = [*_warnings(path, chain, now), *chain_warnings(chain, now)]
    expires = chain[0].not_valid_after_utc
    return CertificateFinding(path, _names_of(chain[0]), expires, tuple(faults), tuple(warnings))


def _server_fault(path: Path) -> str:
    """Return why the server would not use a file, which is loaded as the server does; else nothing."""
    try:
        context = read_key_file(path).context
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return "" if _serves_a_client(context) else "no mail program can use a key of this kind for TLS"


def _serves_a_client(context: SSL.Context) -> bool:
    """Return whether a client of today can agree with the server on how to encrypt, in memory."""
    server = SSL.Connection(context, None)
    client = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    server.set_accept_state()
    client.set_connect_state()
    for _ in range(HANDSHAKE_STEPS):
        for one, other in ((client, server), (server, client)):
            try:
                one.do_handshake()
            except SSL.WantReadError:
                pass
            except SSL.Error:
                return False
            with suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(MAX_FLIGHT))
    return client.get_cipher_name() is not None


def _time_fault(certificate: x509.Certificate, now: datetime) -> str:
    if now > certificate.not_valid_after_utc:
        return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    if now < certificate.not_valid_before_utc:
        return f"is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
    return ""


def _warnings(path: Path, chain: Sequence[x509.Certificate], now: datetime) -> list[str]:
    warnings = []
    left = chain[0].not_valid_after_utc - now
    if timedelta() < left < SOON:
        warnings.append(f"expires in {left.days} days")
    if os.stat(path).st_mode & 0o044:
        warnings.append("others on this machine can read the key (chmod 600)")
    return warnings


def _names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return ()
    names = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return (*(name.lower() for name in names), *map(str, addresses))
