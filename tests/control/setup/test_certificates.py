import os
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from twisted_mail.control.checks.certificate_files import inspect_folder
from twisted_mail.control.setup import certificates
from twisted_mail.net.connection.tls import read_key_file

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOST = "mail.example.org"


def made(folder: Path, hostname: str = HOST) -> Path:
    return certificates.make(folder, hostname, NOW)


def test_the_server_can_use_what_is_made(tmp_path: Path) -> None:
    key = read_key_file(made(tmp_path))
    assert key.names == (HOST, "localhost")


def test_everything_is_for_the_owner_alone(tmp_path: Path) -> None:
    made(tmp_path / "tls")
    modes = {stat.S_IMODE(os.stat(file).st_mode) for file in (tmp_path / "tls").iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(os.stat(tmp_path / "tls").st_mode) == 0o700


def test_the_authority_signs_the_certificate(tmp_path: Path) -> None:
    server, authority = x509.load_pem_x509_certificates(made(tmp_path).read_bytes())
    server.verify_directly_issued_by(authority)
    trusted = (tmp_path / certificates.AUTHORITY).read_bytes()
    assert x509.load_pem_x509_certificates(trusted) == [authority]
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_clients_that_trust_the_authority_trust_the_server(tmp_path: Path) -> None:
    path = certificates.make(tmp_path, HOST)
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    server.load_cert_chain(path)
    client.load_verify_locations(tmp_path / certificates.AUTHORITY)
    for name in (HOST, "localhost", "127.0.0.1"):
        assert shake_hands(server, client, name) == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server, client, "elsewhere.example")


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> str | None:
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(up, down, server_side=True)
    theirs = client.wrap_bio(down, up, server_hostname=name)
    for _ in range(5):
        for side in (theirs, ours):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return theirs.version()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    before = made(tmp_path).read_bytes()
    with pytest.raises(FileExistsError):
        made(tmp_path)
    assert (tmp_path / f"{HOST}.pem").read_bytes() == before


def test_long_host_names_are_possible(tmp_path: Path) -> None:
    name = ".".join(["x" * 60] * 3)
    assert read_key_file(made(tmp_path, name)).names[0] == name


def test_a_renewed_certificate_has_the_same_authority(tmp_path: Path) -> None:
    path = made(tmp_path)
    path.chmod(0o640)
    before = path.read_bytes()
    later = NOW + timedelta(days=800)
    assert certificates.renew(tmp_path, HOST, later) == path
    old, new = (x509.load_pem_x509_certificates(pem) for pem in (before, path.read_bytes()))
    assert old[1] == new[1]
    assert new[0].not_valid_after_utc > old[0].not_valid_after_utc
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    assert inspect_folder(tmp_path, later)[0].faults == ()
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        certificates.AUTHORITY,
        certificates.AUTHORITY_KEY,
        path.name,
    ]


def test_only_our_own_authority_renews(tmp_path: Path) -> None:
    made(tmp_path)
    made(tmp_path / "other")
    (tmp_path / certificates.AUTHORITY_KEY).write_bytes(
        (tmp_path / "other" / certificates.AUTHORITY_KEY).read_bytes()
    )
    with pytest.raises(ValueError, match="is not the key"):
        certificates.renew(tmp_path, HOST)
    (tmp_path / certificates.AUTHORITY_KEY).unlink()
    with pytest.raises(FileNotFoundError):
        certificates.renew(tmp_path, HOST)
