"""The files in the folder of certificates: what they are for, and what is wrong with them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

SOON = timedelta(days=14)


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
    try:
        pem = path.read_bytes()
        chain = x509.load_pem_x509_certificates(pem)
    except OSError as error:
        return CertificateFinding(path, faults=(error.strerror or "cannot be read",))
    except ValueError:
        return CertificateFinding(path, faults=("there is no certificate in it",))
    certificate = chain[0]
    expires = certificate.not_valid_after_utc
    faults = [
        fault for fault in (_key_fault(pem, certificate), _time_fault(certificate, now)) if fault
    ]
    warnings = _warnings(path, chain, now)
    return CertificateFinding(path, _names_of(certificate), expires, tuple(faults), tuple(warnings))


def _key_fault(pem: bytes, certificate: x509.Certificate) -> str:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError:
        return "the private key is locked with a passphrase"
    except (ValueError, UnsupportedAlgorithm):
        return "there is no private key in it"
    if key.public_key() != certificate.public_key():
        return "the private key does not belong to the first certificate"
    return ""


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
    if chain[0].issuer == chain[0].subject:
        warnings.append("is signed by itself: mail programs will ask whether to trust it")
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
