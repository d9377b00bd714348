"""A terminal, and a server that init made."""

from pathlib import Path
from typing import Any

import pytest

from tests.control.terminal import CHEAP, Terminal
from twisted_mail.control import grammar


@pytest.fixture
def terminal(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.delenv(grammar.VARIABLE, raising=False)
    return Terminal(tmp_path / "mail", capsys, monkeypatch)


@pytest.fixture
def server(terminal: Terminal) -> Terminal:
    """A server that init made, with cheap passwords and one account."""
    flags = ("--high-ports", "--interface", "127.0.0.1", "--account", "")
    assert terminal.run("init", str(terminal.folder), "--domain", "example.org", *flags) == 0
    drop_ins = terminal.folder / "mail.toml.d"
    drop_ins.mkdir()
    (drop_ins / "cheap.toml").write_text(CHEAP)
    terminal.type("secret\n")
    assert terminal("account", "add", "alice@example.org", "--password-stdin") == 0
    return terminal
