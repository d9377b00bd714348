"""What the server's user can do with the state folder."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from twisted_mail.config import Config, LogSettings
from twisted_mail.control.checks import state
from twisted_mail.control.checks.server_user import current_name, server_user_of
from twisted_mail.control.checks.state import configuration_notes, mail_log_notes, state_notes
from twisted_mail.net.process.server_user import ServerUser

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Iterator[Config]:
    """A server of nobody, in a folder that everybody can reach."""
    monkeypatch.setattr(state, "unreadable_python", list)  # where these tests run, it may be so
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    kept = folder / "state"
    (kept / "tmp").mkdir(parents=True)
    kept.chmod(0o700)
    (folder / "mail.toml").touch(mode=0o644)
    nobody = pwd.getpwnam("nobody")
    os.chown(kept, nobody.pw_uid, nobody.pw_gid)
    os.chown(kept / "tmp", nobody.pw_uid, nobody.pw_gid)
    yield Config(folder / "mail.toml", "mail.example.org", kept, log=LogSettings(file="log"))
    shutil.rmtree(folder)


def notes(config: Config) -> list[tuple[str, str]]:
    with server_user_of(config.state).acting():
        found = [*configuration_notes(config), *state_notes(config), *mail_log_notes(config)]
    return [(one.level, one.text) for one in found if one.level != "fine"]


@needs_root
def test_root_finds_what_the_owner_could_not_do(config: Config) -> None:
    assert notes(config) == []
    os.chown(config.state / "tmp", 0, 0)
    (config.state / "tmp").chmod(0o700)
    ((level, text),) = notes(config)
    assert level == "fault"
    assert f"nobody cannot read and write {config.state}/tmp, so the server" in text
    assert f"chown -R nobody {config.state}" in text


@needs_root
def test_root_finds_files_that_the_owner_cannot_read_or_write(config: Config) -> None:
    config.path.chmod(0o600)
    drop_ins = config.path.with_name("mail.toml.d")
    drop_ins.mkdir()
    (drop_ins / "secret.toml").touch(mode=0o600)
    found = [text for _, text in notes(config)]
    assert [f"nobody cannot read {config.path}" in found[0], "secret.toml" in found[1]] == [
        True
    ] * 2


@needs_root
def test_root_has_its_rights_again_afterwards(config: Config) -> None:
    notes(config)
    assert current_name() == "root"


def test_whose_rights_count_without_a_folder_is_unknown(tmp_path: Path) -> None:
    assert server_user_of(tmp_path / "none").ids is None


def test_a_python_that_the_user_cannot_read_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "unreadable_python", lambda: ["/root/lib/os.py"])
    found = list(configuration_notes(Config(tmp_path / "mail.toml", "mail.example.org", tmp_path)))
    (fault,) = [one for one in found if one.level == "fault"]
    assert (fault.subject, "cannot read /root/lib/os.py" in fault.text) == ("installation", True)


@needs_root
def test_who_is_neither_root_nor_the_owner_hears_whose_rights_count(config: Config) -> None:
    with ServerUser((2, 2)).acting():
        (fault,) = [one for one in state_notes(config) if one.level == "fault"]
    assert fault.text.endswith("(check as nobody or root)")
