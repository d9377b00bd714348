"""The folder of certificates, and handshakes in memory that choose from it."""

import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from zope.interface.verify import verifyObject

from twisted_mail.control.setup import certificates
from twisted_mail.net.connection.tls import (
    CIPHER_SUITES,
    Certificates,
    read_key_file,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("mail.example.org", "mx.example.net"):
        certificates.make(tmp_path / name, name)
        shutil.copy(tmp_path / name / f"{name}.pem", tmp_path / f"{name}.pem")
    return tmp_path


def shake_hands(client: SSL.Connection, server: SSL.Connection) -> None:
    for _ in range(4):
        for one, other in ((client, server), (server, client)):
            with suppress(SSL.WantReadError):
                one.do_handshake()
            with suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(65536))


class Complaints:
    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []

    def __call__(self, path: Path, text: str) -> None:
        self.made.append((path.name, text))


def scanned(folder: Path, hostname: str = "mail.example.org") -> Certificates:
    shelf = Certificates(folder, hostname)
    complaints = Complaints()
    assert shelf.scan(complaints)
    assert complaints.made == []
    return shelf


def shown(shelf: Certificates, asked: str | None) -> tuple[str, ...]:
    """Shake hands in memory and return the common name of the certificate that was shown."""
    server = shelf.serverConnectionForTLS(None)
    server.set_accept_state()
    client = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    if asked is not None:
        client.set_tlsext_host_name(asked.encode())
    client.set_connect_state()
    shake_hands(client, server)
    certificate = client.get_peer_certificate(as_cryptography=True)
    assert certificate is not None
    return tuple(str(part.value) for part in certificate.subject)


def test_twisted_can_make_connections_of_them(folder: Path) -> None:
    assert verifyObject(IOpenSSLServerConnectionCreator, Certificates(folder, "mail.example.org"))


def test_the_name_that_is_asked_for_chooses(folder: Path) -> None:
    shelf = scanned(folder)
    assert shown(shelf, "mx.example.net") == ("mx.example.net",)
    assert shown(shelf, "MX.example.net") == ("mx.example.net",)
    assert shown(shelf, "mail.example.org") == ("mail.example.org",)


@pytest.mark.parametrize("asked", [None, "unknown.example.com"])
def test_other_names_get_the_certificate_of_the_host(folder: Path, asked: str | None) -> None:
    assert shown(scanned(folder, "mx.example.net"), asked) == ("mx.example.net",)


def test_without_one_for_the_host_the_first_file_serves(folder: Path) -> None:
    assert shown(scanned(folder, "other.example"), None) == ("mail.example.org",)


def test_a_new_certificate_serves_the_next_connection(folder: Path) -> None:
    shelf = scanned(folder)
    assert not shelf.scan(Complaints())
    certificates.make(folder / "more", "imap.example.com")
    shutil.copy(folder / "more" / "imap.example.com.pem", folder / "imap.pem")
    assert shown(shelf, "imap.example.com") == ("mail.example.org",)
    assert shelf.scan(Complaints())
    assert shown(shelf, "imap.example.com") == ("imap.example.com",)


def test_a_useless_file_is_reported_and_ignored(folder: Path) -> None:
    (folder / "broken.pem").write_text("no certificate")
    shelf, complaints = Certificates(folder, "mail.example.org"), Complaints()
    assert shelf.scan(complaints)
    assert [name for name, _ in complaints.made] == ["broken.pem"]
    assert shown(shelf, None) == ("mail.example.org",)


def test_a_link_that_leads_nowhere_keeps_no_other_file_from_being_used(folder: Path) -> None:
    (folder / "gone.pem").symlink_to(folder / "nowhere")
    shelf, complaints = Certificates(folder, "mail.example.org"), Complaints()
    assert shelf.scan(complaints)
    assert [name for name, _ in complaints.made] == ["gone.pem"]
    assert shown(shelf, None) == ("mail.example.org",)
    assert not shelf.scan(Complaints())
    shutil.copy(folder / "mx.example.net.pem", folder / "nowhere")
    assert shelf.scan(Complaints())


def test_when_no_file_is_left_the_known_ones_stay_in_use(folder: Path) -> None:
    shelf = scanned(folder)
    for path in folder.glob("*.pem"):
        path.write_text("half written")
    assert not shelf.scan(Complaints())
    assert shown(shelf, "mx.example.net") == ("mx.example.net",)


def test_an_empty_folder_has_nothing_to_offer(tmp_path: Path) -> None:
    shelf = Certificates(tmp_path / "missing", "mail.example.org")
    assert not shelf.scan(Complaints())
    assert not shelf.is_ready
    with pytest.raises(ValueError, match="no certificate"):
        shelf.serverConnectionForTLS(None)


def test_a_key_of_another_certificate_is_refused(folder: Path) -> None:
    one = (folder / "mail.example.org.pem").read_text()
    other = (folder / "mx.example.net.pem").read_text()
    key = one[: one.index("-----BEGIN CERTIFICATE")]
    mixed = folder / "mixed.pem"
    mixed.write_text(key + other[other.index("-----BEGIN CERTIFICATE") :])
    with pytest.raises(ValueError, match="does not belong"):
        read_key_file(mixed)


# ---------------------------------------------------------------- suites


def known_suites() -> list[str]:
    """Return every suite of TLS 1.2 that the library can speak with a certificate."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_cipher_list(b"ALL:!aNULL:!eNULL:!PSK:!SRP:@SECLEVEL=0")
    names = SSL.Connection(context, None).get_cipher_list()
    return [name for name in names if not name.startswith("TLS_")]


def agreed(shelf: Certificates, suite: str) -> str:
    """Shake hands with a client of TLS 1.2 that speaks this suite alone; return the one that is used."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(f"{suite}:@SECLEVEL=0".encode())
    server, client = shelf.serverConnectionForTLS(None), SSL.Connection(context, None)
    server.set_accept_state()
    client.set_connect_state()
    shake_hands(client, server)
    return client.get_cipher_name() or ""


@pytest.fixture(scope="module")
def of_each_kind(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Certificates]:
    """Return the certificates of a server with a key of ECDSA, and of one with a key of RSA."""
    made = {}
    for kind, key in (
        ("ECDSA", ec.generate_private_key(ec.SECP256R1())),
        ("RSA", rsa.generate_private_key(65537, 2048)),
    ):
        folder = tmp_path_factory.mktemp(kind)
        (folder / "one.pem").write_bytes(pem_of(key))
        made[kind] = scanned(folder)
    return made


def pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """Return a key with a certificate that it has signed itself."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example.org")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    secret = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + certificate.public_bytes(encoding)


@pytest.mark.parametrize("suite", CIPHER_SUITES)
def test_each_suite_of_the_list_is_spoken(
    of_each_kind: dict[str, Certificates], suite: str
) -> None:
    kind = "ECDSA" if "ECDSA" in suite else "RSA"
    assert agreed(of_each_kind[kind], suite) == suite


@pytest.mark.parametrize("suite", [one for one in known_suites() if one not in CIPHER_SUITES])
def test_every_other_suite_is_refused(of_each_kind: dict[str, Certificates], suite: str) -> None:
    for certificates_of_kind in of_each_kind.values():
        with pytest.raises(SSL.Error):
            agreed(certificates_of_kind, suite)


def test_there_are_others_to_refuse() -> None:
    assert {"AES128-GCM-SHA256", "AES256-SHA", "ECDHE-RSA-AES128-SHA"} <= set(known_suites())


def test_tls_1_3_has_its_common_suites(of_each_kind: dict[str, Certificates]) -> None:
    server = of_each_kind["ECDSA"].serverConnectionForTLS(None)
    names = [name for name in server.get_cipher_list() if name.startswith("TLS_")]
    assert sorted(names) == [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
    ]
