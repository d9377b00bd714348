"""The files in the folder of certificates."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from twisted_mail.control.checks import certificate_files
from twisted_mail.control.checks.certificate_files import CertificateFinding
from twisted_mail.control.setup import certificates

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
