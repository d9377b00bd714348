"""Sockets that systemd passes, as check sees them."""

from pathlib import Path

import pytest

from twisted_mail.control.checks import systemd
from twisted_mail.control.checks.systemd import systemd_note


@pytest.fixture
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "usr").mkdir()
    monkeypatch.setattr(systemd, "FOLDERS", (tmp_path / "etc", tmp_path / "usr"))
    write(tmp_path / "usr", "m-smtp", "ListenStream=25\nFileDescriptorName=smtp\n")
    write(tmp_path / "usr", "m-lmtp", "ListenStream=/run/lmtp\nFileDescriptorName = lmtp\n")
    write(tmp_path / "usr", "m-imap", "ListenStream=192.0.2.1:143\n")
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.socket").write_text(f"[Socket]\n{text}")


@pytest.mark.parametrize(
    ("endpoint", "level", "words"),
    [
        ("systemd:domain=INET6:name=smtp", "fine", "m-smtp.socket"),
        ("systemd:domain=UNIX:name=lmtp", "fine", "m-lmtp.socket"),
        ("systemd:domain=INET:name=m-imap.socket", "fine", "m-imap.socket"),
        ("systemd:domain=INET:name=smtp", "fault", "has INET6, and the endpoint INET"),
        ("systemd:domain=INET6:name=pop3", "warning", "FileDescriptorName=pop3"),
        ("systemd:domain=INET6:index=0", "warning", "use name="),
        ("systemd:name=smtp", "fault", "needs domain="),
        ("systemd:domain=INET6", "fault", "one of name= and index="),
        ("systemd:domain=IMET:name=smtp", "fault", "no domain 'IMET'"),
    ],
)
def test_units_are_looked_for(units: Path, endpoint: str, level: str, words: str) -> None:
    note = systemd_note("smtp", endpoint)
    assert (note.level, words in note.text) == (level, True)


def test_a_unit_of_the_administrator_takes_the_place_of_one_of_a_package(units: Path) -> None:
    write(units / "etc", "m-smtp", "ListenStream=0.0.0.0:25\nFileDescriptorName=smtp\n")
    assert systemd_note("smtp", "systemd:domain=INET:name=smtp").level == "fine"
