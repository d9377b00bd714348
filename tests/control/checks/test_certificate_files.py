"""The files in the folder of certificates."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from twisted_mail.control.checks import certificate_files
from twisted_mail.control.checks.certificate_files import CertificateFinding
from twisted_mail.control.setup import certificates
from twisted_mail.net.connection.tls import Certificates

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOST = "mail.example.org"


def made(folder: Path, hostname: str = HOST) -> Path:
    return certificates.make(folder, hostname, NOW)


def finding(folder: Path, now: datetime = NOW) -> CertificateFinding:
    (only,) = certificate_files.inspect_folder(folder, now)
    return only


def test_a_good_certificate_has_no_faults(tmp_path: Path) -> None:
    made(tmp_path)
    found = finding(tmp_path)
    assert (found.faults, found.warnings) == ((), ())
    assert found.names == (HOST, "localhost", "127.0.0.1", "::1")
    assert certificate_files.covers(found, HOST)
    assert not certificate_files.covers(found, "www.example.org")


def test_time_is_looked_at(tmp_path: Path) -> None:
    made(tmp_path)
    end = NOW + timedelta(days=certificates.SERVER_DAYS)
    assert "expires in 9 days" in finding(tmp_path, end - timedelta(days=9, hours=1)).warnings
    assert "expired on" in finding(tmp_path, end + timedelta(seconds=1)).faults[0]
    assert "not valid before" in finding(tmp_path, NOW - timedelta(days=1)).faults[0]


def test_files_without_key_or_certificate_are_named(tmp_path: Path) -> None:
    pem = made(tmp_path).read_text()
    path = tmp_path / f"{HOST}.pem"
    path.write_text(pem[pem.index("-----BEGIN CERT") :])
    assert finding(tmp_path).faults == ("there is no private key in it",)
    path.write_text("nothing")
    assert finding(tmp_path).faults == ("there is no certificate in it",)


def test_a_key_of_another_certificate_is_named(tmp_path: Path) -> None:
    pem = made(tmp_path).read_text()
    other = made(tmp_path / "other").read_text()
    chain, key = pem.index("-----BEGIN CERT"), other.index("-----BEGIN CERT")
    (tmp_path / f"{HOST}.pem").write_text(other[:key] + pem[chain:])
    assert "does not belong" in finding(tmp_path).faults[0]


def test_keys_that_others_can_read_are_named(tmp_path: Path) -> None:
    made(tmp_path).chmod(0o644)
    assert "others" in finding(tmp_path).warnings[0]


def test_a_missing_folder_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        certificate_files.inspect_folder(tmp_path / "none")


def signed_by_itself(path: Path, key: Any) -> Path:
    """Write a key with a certificate for our host, valid at NOW, and return its path."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = builder.not_valid_before(NOW - timedelta(days=1)).public_key(key.public_key())
    certificate = builder.not_valid_after(NOW + timedelta(days=90)).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    written = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(written + certificate.public_bytes(pem))
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), "the key has 1024 bits: too few"),
        (lambda: ec.generate_private_key(ec.SECP192R1()), "the key has 192 bits: too few"),
        (lambda: dsa.generate_private_key(2048), "no mail program can use a key of this kind"),
        (lambda: ec.generate_private_key(ec.SECP256K1()), "no mail program can use a key of this"),
    ],
)
def test_a_key_that_tls_refuses_is_a_fault(tmp_path: Path, key: Any, words: str) -> None:
    signed_by_itself(tmp_path / "a.pem", key())
    (fault,) = finding(tmp_path).faults
    assert words in fault


def test_the_server_names_a_weak_key_in_the_same_words(tmp_path: Path) -> None:
    signed_by_itself(tmp_path / "a.pem", rsa.generate_private_key(65537, 1024))
    said: list[str] = []
    assert not Certificates(tmp_path, HOST).scan(lambda path, text: said.append(text))
    assert tuple(said) == finding(tmp_path).faults


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-----BEGIN PRIVATE KEY-----\n", "the private key is damaged"),
        ("-----BEGIN CERTIFICATE-----\n", "a certificate in it is damaged"),
    ],
)
def test_damaged_files_stop_neither_check_nor_server(tmp_path: Path, line: str, words: str) -> None:
    path = made(tmp_path)
    path.write_text(path.read_text().replace(line, line + "AAAA"))
    assert words in finding(tmp_path).faults[0]
    said: list[str] = []
    Certificates(tmp_path, HOST).scan(lambda path, text: said.append(text))
    assert tuple(said) == finding(tmp_path).faults[:1]
