"""The plugin of docs/plugins.md, installed as a user would install it."""

import re
import smtplib
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.whole.live import CONFIG, LiveServer
from tests.whole.process import ServerProcess, free_port

pytestmark = pytest.mark.whole

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
PLUGIN, FILTER = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


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


def test_the_filter_of_the_documentation_judges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    LiveServer(tmp_path).stop()
    package = tmp_path / "site" / "twisted_mail" / "plugins"
    package.mkdir(parents=True)
    (package / "subjects.py").write_text(FILTER)
    section = re.findall(r"```toml\n(\[\[filter.*?)```", PAGE.read_text(), re.DOTALL)[0]
    port = free_port()
    endpoint = f"tcp:{port}:interface=127.0.0.1"
    listener = f'[[listener]]\nservice = "smtp"\nendpoint = "{endpoint}"\n'
    (tmp_path / "mail.toml").write_text(CONFIG + listener + section)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    command = Path(sys.executable).parent / "twisted-mail"
    listed = subprocess.run(
        [command, "filters", "subjects"], capture_output=True, text=True, check=True
    )
    assert listed.stdout.startswith("subjects\n    Refuses certain words in the subject.\n")
    server = ServerProcess(tmp_path / "mail.toml", port, tmp_path / "log")
    try:
        assert _sent(port, "You won the Lottery") == (550, "5.7.1 Refused for reasons of policy")
        assert _sent(port, "Lunch")[0] == 250
    finally:
        assert server.stop()


def _sent(port: int, subject: str) -> tuple[int, str]:
    with smtplib.SMTP("127.0.0.1", port, "client.example", 20) as client:
        client.ehlo()
        client.mail("a@client.example")
        client.rcpt("alice@example.org")
        code, text = client.data(f"Subject: {subject}\r\n\r\nHello\r\n".encode())
        return code, text.decode()


def test_the_checker_is_offered_to_every_twisted_program() -> None:
    twistd = Path(sys.executable).parent / "twistd"
    said = subprocess.run([twistd, "--help-auth"], capture_output=True, text=True, check=False)
    assert "directory" in said.stdout
