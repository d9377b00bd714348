"""An authority of the tests, certificates that it signs, and the TLSA records that are about them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

from twisted_mail.mail.dns import TlsaRecord

DAY = timedelta(days=1)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class SignedCertificate:
    """A certificate with its key, signed by an issuer, or by itself."""

    def __init__(
        self,
        names: Sequence[str],
        issuer: "SignedCertificate | None" = None,
        ends: timedelta = DAY,
        is_authority: bool = False,
        odd_names: bytes = b"",
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.issuer = issuer
        now = datetime.now(UTC)
        names_of_it: x509.ExtensionType = x509.SubjectAlternativeName([*map(x509.DNSName, names)])
        if odd_names:
            oid = ExtensionOID.SUBJECT_ALTERNATIVE_NAME
            names_of_it = x509.UnrecognizedExtension(oid, odd_names)
        signer = issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(names[0]))
            .issuer_name(_name(names[0]) if issuer is None else issuer.certificate.subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 3 * DAY)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(names_of_it, critical=False)
        )
        self.certificate = builder.sign(signer.key, hashes.SHA256())

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def write(self, folder: Path, *chain: "SignedCertificate") -> Path:
        """Write the key, the certificate and those that are shown with it; return the file."""
        key = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file = folder / f"{self.certificate.serial_number}.pem"
        file.write_bytes(key + self.pem + b"".join(one.pem for one in chain))
        return file


def spki(certificate: SignedCertificate, usage: int = 3) -> TlsaRecord:
    """Return a record of the key of a certificate."""
    return TlsaRecord(usage, 1, 1, sha256(certificate.public_key).digest())


def whole(certificate: SignedCertificate, usage: int = 2) -> TlsaRecord:
    """Return a record of a whole certificate."""
    return TlsaRecord(usage, 0, 1, sha256(certificate.der).digest())
