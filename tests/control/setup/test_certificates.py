import os
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from twisted_mail.control.setup import certificates
from twisted_mail.net.server.tls import read_key_file

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


def finding(folder: Path, now: datetime = NOW) -> certificates.CertificateFinding:
    (only,) = certificates.inspect_folder(folder, now)
    return only


def test_a_good_certificate_has_no_faults(tmp_path: Path) -> None:
    made(tmp_path)
    found = finding(tmp_path)
    assert (found.faults, found.warnings) == ((), ())
    assert found.names == (HOST, "localhost", "127.0.0.1", "::1")
    assert certificates.covers(found, HOST)
    assert not certificates.covers(found, "www.example.org")


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
        certificates.inspect_folder(tmp_path / "none")


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
    assert finding(tmp_path, later).faults == ()
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
