"""TLS for listeners: a folder of certificates, chosen by the name the client asks for.

Each ``*.pem`` file holds a private key, its certificate and the chain. The context is
chosen for each connection (RFC 6066 §3), so a certificate that is replaced serves the next connection
and never touches open ones.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.ssl import AcceptableCiphers, CertificateOptions, TLSVersion
from zope.interface import implementer

from twisted_mail.interfaces import TlsInfo
from twisted_mail.net.connection.pem import read_chain, read_key, refusal_in_words

# TLS 1.2: forward secrecy and authenticated encryption (see docs/decisions/0031).
CIPHER_SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
_ACCEPTABLE = AcceptableCiphers.fromOpenSSLCipherString(  # type: ignore[no-untyped-call]
    ":".join(CIPHER_SUITES)
)

_Stamp = tuple[tuple[str, int, int], ...]  # name, size and mtime of each file


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One file of the folder: its path, the names its certificate has, and the context it makes."""

    path: Path
    names: tuple[str, ...]
    context: SSL.Context


def read_key_file(path: Path) -> KeyFile:
    """Read a PEM file. Raises OSError and ValueError with texts that name the mistake in it."""
    pem = path.read_bytes()
    chain, key = read_chain(pem), read_key(pem)
    if key.public_key() != chain[0].public_key():
        raise ValueError("the private key does not belong to the first certificate")
    try:
        options = CertificateOptions(
            privateKey=crypto.PKey.from_cryptography_key(key),  # type: ignore[arg-type]
            certificate=crypto.X509.from_cryptography(chain[0]),
            extraCertChain=[crypto.X509.from_cryptography(cert) for cert in chain[1:]],
            raiseMinimumTo=TLSVersion.TLSv1_2,  # RFC 8996, RFC 8997
            acceptableCiphers=_ACCEPTABLE,
        )
        return KeyFile(path, names_of(chain[0]), options.getContext())
    except (SSL.Error, crypto.Error, TypeError) as error:
        raise ValueError(refusal_in_words(error, key)) from error


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the DNS names of a certificate, lower case (RFC 6125 §6.4: the subject is not asked)."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))


@dataclass(frozen=True, slots=True)
class _CertificateIndex:
    """The result of a scan: contexts by name, and the one for clients that send none of these names."""

    by_name: dict[str, SSL.Context] = field(default_factory=dict)
    fallback: SSL.Context | None = None
    stamp: _Stamp = ()


def _stamp_of(path: Path) -> tuple[str, int, int]:
    try:
        stat = path.stat()
    except OSError:  # as of a link that leads nowhere: the other files are read all the same
        return path.name, 0, 0
    return path.name, stat.st_size, stat.st_mtime_ns


@implementer(IOpenSSLServerConnectionCreator)
class Certificates:
    """The certificates of a folder, ready for new connections.

    ``scan`` reads files and belongs in a thread; everything else is a dictionary look-up. The fallback
    is the certificate for ``hostname`` if there is one, else the first by file name.
    """

    def __init__(self, folder: Path, hostname: str) -> None:
        self._folder = folder
        self._hostname = hostname.lower()
        self._index = _CertificateIndex()
        self.unusable: tuple[str, ...] = ()  # lines about files that could not be used

    @property
    def is_ready(self) -> bool:
        """Return whether there is any certificate."""
        return self._index.fallback is not None

    @property
    def stamp(self) -> object:
        """Return a value that differs after each ``scan`` that read anything new."""
        return self._index.stamp

    @property
    def summary(self) -> str:
        """Return which names the certificates are for."""
        return ", ".join(sorted(self._index.by_name)) or "for no name"

    def scan(self, complain: Callable[[Path, str], None]) -> bool:
        """Read the folder again if a file changed; return whether anything is new.

        Files that cannot be used are reported to ``complain`` and ignored; when none is left, the
        certificates known before stay in use.
        """
        stamp = self._stamp()
        if stamp == self._index.stamp:
            return False
        keys = self._read(complain)
        if keys:
            by_name = {name: key.context for key in reversed(keys) for name in key.names}
            fallback = by_name.get(self._hostname, keys[0].context)
            fallback.set_tlsext_servername_callback(self._choose)
            self._index = _CertificateIndex(by_name, fallback, stamp)
        return bool(keys)

    def _stamp(self) -> _Stamp:
        try:
            return tuple(_stamp_of(path) for path in sorted(self._folder.glob("*.pem")))
        except OSError:
            return ()

    def _read(self, complain: Callable[[Path, str], None]) -> list[KeyFile]:
        keys, unusable = [], []
        for path in sorted(self._folder.glob("*.pem")):
            try:
                keys.append(read_key_file(path))
            except (OSError, ValueError) as error:
                text = getattr(error, "strerror", None) or str(error)
                complain(path, text)
                unusable.append(f"{path} is not used: {text}")
        self.unusable = tuple(unusable)
        return keys

    def _choose(self, connection: SSL.Connection) -> None:
        """Switch to the context for the name the client sent (RFC 6066 §3)."""
        name = (connection.get_servername() or b"").decode("ascii", "replace").lower()
        by_name = self._index.by_name
        context = by_name.get(name) or by_name.get("*." + name.partition(".")[2])
        if context is not None:
            connection.set_context(context)

    def serverConnectionForTLS(self, protocol: object) -> SSL.Connection:
        """Return a new TLS connection (called by Twisted)."""
        if self._index.fallback is None:
            raise ValueError("there is no certificate")
        return _Connection(self._index.fallback, None)


class _Connection(SSL.Connection):
    """A TLS connection that treats an error of TLS as the end of the connection.

    Most clients close without ending TLS. Twisted makes a Failure of that, which nothing uses, and whose
    traceback holds the whole connection and is held by it.
    """

    def recv(self, bufsiz: int, flags: int | None = None) -> bytes:
        """Return octets that came (called by Twisted)."""
        try:
            return super().recv(bufsiz, flags)
        except (SSL.WantReadError, SSL.ZeroReturnError):
            raise
        except SSL.Error:
            raise SSL.ZeroReturnError from None


def drop_tls(transport: object) -> None:
    """Undo what ``startTLS`` did to a lost transport: the two keep each other in memory."""
    for method in ("getHandle", "getPeerCertificate"):
        vars(transport).pop(method, None)


def tls_info(connection: SSL.Connection) -> TlsInfo:
    """Return version and cipher of a TLS connection."""
    version, cipher = connection.get_protocol_version_name(), connection.get_cipher_name()
    return TlsInfo(version, cipher or "", connection.get_cipher_bits() or 0)
