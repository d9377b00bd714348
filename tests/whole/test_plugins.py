"""The plugin of docs/plugins.md, installed as a user would install it."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.whole.live import CONFIG, LiveServer
from tests.whole.process import ServerProcess, free_port

pytestmark = pytest.mark.whole

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
[PLUGIN] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_plugin_of_the_documentation_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    LiveServer(tmp_path).stop()  # makes certificates and accounts
    package = tmp_path / "site" / "twisted_mail" / "plugins"
    package.mkdir(parents=True)
    (package / "daytime.py").write_text(PLUGIN)
    port = free_port()
    section = re.findall(r"```toml\n(\[\[listener.*?)```", PAGE.read_text(), re.DOTALL)[0]
    (tmp_path / "mail.toml").write_text(CONFIG + section.replace("13013", str(port)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    server = ServerProcess(tmp_path / "mail.toml", port, tmp_path / "log")
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            assert re.fullmatch(rb"\d\d:\d\d\r\n", client.recv(100))
    finally:
        assert server.stop()


def test_the_checker_is_offered_to_every_twisted_program() -> None:
    twistd = Path(sys.executable).parent / "twistd"
    said = subprocess.run([twistd, "--help-auth"], capture_output=True, text=True, check=False)
    assert "directory" in said.stdout
