"""The instructions of the demonstration; tests/whole/test_demo.py runs the server."""

import re
from pathlib import Path
from typing import Any

import pytest

from twisted_mail.control import main
from twisted_mail.control.setup.demo import folders


def test_the_printed_control_command_finds_the_accounts(tmp_path: Path, capsys: Any) -> None:
    folders.prepare(tmp_path)
    [line] = re.findall(r"^  (\S*twisted-mail .*) check$", folders.next_steps(tmp_path), re.MULTILINE)
    _, *options = line.split()
    assert main.main([*options, "account", "list"]) == 0
    assert "alice@example.org" in capsys.readouterr().out


@pytest.mark.parametrize("is_installed", [True, False])
def test_the_control_command_is_named_by_its_path_if_it_is_installed_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_installed: bool
) -> None:
    for server, folder in ((folders.FIRST, tmp_path), (folders.SECOND, tmp_path / "example.net")):
        folder.mkdir(exist_ok=True)
        (folder / "passwords.txt").write_text("".join(f"{name} x\n" for name in server.accounts))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    if is_installed:
        (tmp_path / "twisted-mail").touch()
    path = f"{tmp_path}/twisted-mail" if is_installed else "twisted-mail"
    assert f"\n  {path} --config {tmp_path}/mail.toml check\n" in folders.next_steps(tmp_path)
