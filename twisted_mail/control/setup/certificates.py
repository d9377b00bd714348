"""Certificates for a new server.

``make`` writes a certificate authority of this server's own and a certificate signed by it, so that
mail programs have one thing to trust. Public certificates (Let's Encrypt) replace it once they are in the
folder: one ``*.pem`` file with the key and the chain.
"""

import ipaddress
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY = "authority.crt"  # the certificate that mail programs are to trust
AUTHORITY_KEY = "authority.key"  # not ending in .pem, so that the server does not use it
AUTHORITY_DAYS = 3650
SERVER_DAYS = 820  # Apple accepts no server certificate that is valid for longer than 825
_AT_HOME = ("localhost", "127.0.0.1", "::1")

Signed = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


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
