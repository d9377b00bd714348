"""The fixtures, in a project of their own."""

import os
import subprocess
import sys
from pathlib import Path

USES = """
import smtplib

def test_the_fixture(mail_server):
    with smtplib.SMTP(*mail_server.address("smtp")) as client:
        client.sendmail("", ["alice@example.org"], "Subject: hi\\n\\nhello")
    assert len(mail_server.mailbox("alice@example.org")) == 1

def test_the_factory(make_mail_server):
    one = make_mail_server({"carol@example.net": "word"})
    other = make_mail_server(hostname="other.example")
    assert "other.example" in other.connect("smtp").line()
    assert one.mailbox("carol@example.net") == []
"""
USES_NOT = """
import sys

def test_nothing_is_loaded():
    assert "twisted_mail.testing.server" not in sys.modules
    assert "twisted" not in sys.modules
"""


def run(text: str, folder: Path) -> str:
    (folder / "test_it.py").write_text(text)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-W", "error", "--rootdir", str(folder)),
            *("-p", "no:cacheprovider", "-p", "twisted_mail.testing.pytest_plugin", "test_it.py"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_are_fixtures(tmp_path: Path) -> None:
    assert "2 passed" in run(USES, tmp_path)


def test_a_project_without_them_loads_nothing(tmp_path: Path) -> None:
    assert "1 passed" in run(USES_NOT, tmp_path)
