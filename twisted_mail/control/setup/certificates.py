"""Certificates for a new server, and checks of those that a server has.

``make`` writes a certificate authority of this server's own and a certificate signed by it, so that
mail programs have one thing to trust. Public certificates (Let's Encrypt) replace it once they are in the
folder: one ``*.pem`` file with the key and the chain.
"""

import ipaddress
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY = "authority.crt"  # the certificate that mail programs are to trust
AUTHORITY_KEY = "authority.key"  # not ending in .pem, so that the server does not use it
AUTHORITY_DAYS = 3650
SERVER_DAYS = 820  # Apple accepts no server certificate that is valid for longer than 825
SOON = timedelta(days=14)
_AT_HOME = ("localhost", "127.0.0.1", "::1")

Signed = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


# ---------------------------------------------------------------- making


def make(folder: Path, hostname: str, now: datetime | None = None) -> Path:
    """Make an authority and a certificate for ``hostname`` and this machine; return its file.

    All files are readable by their owner alone. Raises FileExistsError rather than overwrite one.
    """
    now = now or datetime.now(UTC)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = _authority(hostname, now)
    key, certificate = _server(authority, hostname, now)
    path = folder / f"{hostname}.pem"
    _write(path, _pem_key(key) + _pem(certificate) + _pem(authority[1]))
    _write(folder / AUTHORITY_KEY, _pem_key(authority[0]))
    _write(folder / AUTHORITY, _pem(authority[1]))
    return path


def renew(folder: Path, hostname: str, now: datetime | None = None) -> Path:
    """Replace the certificate for ``hostname`` by a new one of the same authority; return its file.

    Mail programs that trust the authority notice nothing, and the server uses it by itself.
    Raises FileNotFoundError when the folder has no authority of ours, ValueError when it is broken.
    """
    now = now or datetime.now(UTC)
    key = serialization.load_pem_private_key((folder / AUTHORITY_KEY).read_bytes(), password=None)
    authority = x509.load_pem_x509_certificate((folder / AUTHORITY).read_bytes())
    if (
        not isinstance(key, ec.EllipticCurvePrivateKey)
        or key.public_key() != authority.public_key()
    ):
        raise ValueError(f"{folder / AUTHORITY_KEY} is not the key of {AUTHORITY}")
    own_key, certificate = _server((key, authority), hostname, now)
    path, new = folder / f"{hostname}.pem", folder / f".{hostname}.new"
    new.unlink(missing_ok=True)
    _write(new, _pem_key(own_key) + _pem(certificate) + _pem(authority))
    if path.exists():
        shutil.copystat(path, new)
        os.chown(new, os.stat(path).st_uid, os.stat(path).st_gid)
    os.utime(new)
    new.replace(path)
    return path


def _authority(hostname: str, now: datetime) -> Signed:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Certificate authority of {hostname}")
    usage = _usage(key_cert_sign=True, crl_sign=True)
    builder = (
        _builder(name, key.public_key(), now, AUTHORITY_DAYS)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
    )
    return key, builder.sign(key, hashes.SHA256())


def _server(authority: Signed, hostname: str, now: datetime) -> Signed:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority[0].public_key())
    builder = (
        _builder(_name(hostname), key.public_key(), now, SERVER_DAYS)
        .issuer_name(authority[1].subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_names(hostname)), critical=False)
        .add_extension(issuer, critical=False)
    )
    return key, builder.sign(authority[0], hashes.SHA256())


def _builder(
    name: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # for clocks that are slow
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(text: str) -> x509.Name:
    # X.520 allows 64 characters here; names that matter are in the extension.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _names(hostname: str) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for name in dict.fromkeys((hostname, *_AT_HOME)):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(name.strip("[]"))))
        except ValueError:
            names.append(x509.DNSName(name))
    return names


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


# ---------------------------------------------------------------- looking


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
