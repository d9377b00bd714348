"""The plugins of docs/plugins.md, installed as a user would install them."""

import imaplib
import re
import smtplib
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from twisted.cred.strcred import findCheckerFactories

from tests.whole.live import CONFIG, furnish
from tests.whole.ports import free_port
from tests.whole.process import ServerProcess

pytestmark = pytest.mark.whole

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
PLUGIN, FILTER, EXTENSION, STEP, _ = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_plugin_of_the_documentation_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(tmp_path)
    package = tmp_path / "site" / "twisted_mail" / "plugins"
    package.mkdir(parents=True)
    (package / "daytime.py").write_text(PLUGIN)
    port = free_port()
    section = re.findall(r"```toml\n(\[\[listener.*?)```", PAGE.read_text(), re.DOTALL)[0]
    (tmp_path / "mail.toml").write_text(CONFIG + section.replace("13013", str(port)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    server = ServerProcess(tmp_path / "mail.toml", tmp_path / "log")
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            assert re.fullmatch(rb"\d\d:\d\d\r\n", client.recv(100))
    finally:
        assert server.stop()


def test_the_filter_of_the_documentation_judges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(tmp_path)
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
    server = ServerProcess(tmp_path / "mail.toml", tmp_path / "log")
    try:
        assert _sent(port, "You won the Lottery") == (550, "5.7.1 Refused for reasons of policy")
        assert _sent(port, "Lunch")[0] == 250
    finally:
        assert server.stop()


PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "mail-lines"
version = "1"

[tool.hatch.build.targets.wheel]
only-include = ["twisted_mail"]
"""


def _python(*command: str | Path) -> None:
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder into which a wheel of its own was installed: it has the documentation's extension."""
    project = tmp_path / "project"
    package = project / "twisted_mail" / "plugins"
    package.mkdir(parents=True)
    (project / "pyproject.toml").write_text(PROJECT)
    (package / "lines.py").write_text(EXTENSION)
    folder = tmp_path / "site"
    dist = tmp_path / "dist"
    _python("build", "--no-isolation", "--wheel", "--outdir", dist, project)
    _python("pip", "install", "--no-deps", "--target", folder, *dist.glob("*.whl"))
    return folder


def test_the_imap_extension_of_the_documentation_comes_in_a_wheel(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(tmp_path)
    port = free_port()
    endpoint = f"tcp:{port}:interface=127.0.0.1"
    listener = (
        f'[[listener]]\nservice = "imap"\nendpoint = "{endpoint}"\ncleartext_passwords = true\n'
    )
    (tmp_path / "mail.toml").write_text(CONFIG + listener)
    monkeypatch.setenv("PYTHONPATH", str(site))
    server = ServerProcess(tmp_path / "mail.toml", tmp_path / "log")
    try:
        with imaplib.IMAP4("127.0.0.1", port, timeout=20) as client:
            client.login("alice@example.org", "secret")
            assert b"X-LINES" in client.capability()[1][0].split()
            client.append("INBOX", "", "", b"Subject: Lunch\r\n\r\nHello\r\n")
            client.append("INBOX", "", "", b"Subject: Dinner\r\n\r\nHello,\r\n\r\nBob\r\n")
            assert client.status("INBOX", "(X-HOST)")[1] == [b'INBOX (X-HOST "mail.example.org")']
            client.select("INBOX")
            assert client.fetch("1:2", "(X-LINES)")[1] == [b"1 (X-LINES 3)", b"2 (X-LINES 5)"]
            assert client.search(None, "X-LONGER", "3")[1] == [b"2"]
    finally:
        assert server.stop()


def test_the_arrival_step_of_the_documentation_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(tmp_path)
    package = tmp_path / "site" / "twisted_mail" / "plugins"
    package.mkdir(parents=True)
    (package / "label.py").write_text(STEP)
    section = re.findall(r"```toml\n(\[\[arrival_step.*?)```", PAGE.read_text(), re.DOTALL)[0]
    port = free_port()
    endpoint = f"tcp:{port}:interface=127.0.0.1"
    listener = f'[[listener]]\nservice = "smtp"\nendpoint = "{endpoint}"\n'
    (tmp_path / "mail.toml").write_text(CONFIG + listener + section)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    server = ServerProcess(tmp_path / "mail.toml", tmp_path / "log")
    try:
        assert _sent(port, "Hello")[0] == 250
    finally:
        assert server.stop()
    (path,) = tmp_path.rglob("new/*")
    assert b"\r\nX-Label: external\r\nReceived: " in path.read_bytes()


def _sent(port: int, subject: str) -> tuple[int, str]:
    with smtplib.SMTP("127.0.0.1", port, "client.example", 20) as client:
        client.ehlo()
        client.mail("a@client.example")
        client.rcpt("alice@example.org")
        code, text = client.data(f"Subject: {subject}\r\n\r\nHello\r\n".encode())
        return code, text.decode()


def _said(*options: str) -> tuple[int, str, str]:
    command = [Path(sys.executable).parent / "twistd", "mailserver", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_server_lists_and_explains_the_checkers() -> None:
    code, listed, _ = _said("--help-auth")
    assert code == 0
    rows = {line.split()[0] for line in listed.splitlines() if line.startswith("  ")}
    assert {"directory", "file", "memory"} <= rows
    assert "anonymous" not in rows  # it takes no passwords
    code, explained, _ = _said("--help-auth-type", "file")
    assert code == 0
    assert "FilePasswordDB" in explained
    code, said, error = _said("--help-auth-type", "nothing")
    assert code == 1
    assert "there is no checker 'nothing'" in said + error


def test_the_checker_is_offered_to_every_twisted_program() -> None:
    assert "directory" in {factory.authType for factory in findCheckerFactories()}


@pytest.mark.parametrize("text", ["etc/mail.toml", "docs/plugins.md"])
def test_texts_name_the_option_that_there_is(text: str) -> None:
    said = (Path(__file__).parents[2] / text).read_text()
    assert set(re.findall(r"twistd [a-z]*\s*--help-auth", said)) == {
        "twistd mailserver --help-auth"
    }
