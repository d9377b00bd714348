"""The folder of certificates, and handshakes in memory that choose from it."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from OpenSSL import SSL

from twisted_mail.control.setup import certificates
from twisted_mail.net.server.tls import Certificates, read_key_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("mail.example.org", "mx.example.net"):
        certificates.make(tmp_path / name, name)
        shutil.copy(tmp_path / name / f"{name}.pem", tmp_path / f"{name}.pem")
    return tmp_path


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
    for _ in range(4):
        for one, other in ((client, server), (server, client)):
            with suppress(SSL.WantReadError):
                one.do_handshake()
            with suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(65536))
    certificate = client.get_peer_certificate(as_cryptography=True)
    assert certificate is not None
    return tuple(str(part.value) for part in certificate.subject)


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
