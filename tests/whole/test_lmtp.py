"""LMTP clients: swaks, Python's own, and that of Postfix over a UNIX socket."""

import os
import smtplib
from pathlib import Path

import pytest

from tests.whole.clients import hello, run, subjects
from tests.whole.live import PATIENCE, LiveServer, needs

pytestmark = pytest.mark.whole


def test_swaks_delivers_to_two_of_three(server: LiveServer) -> None:
    said = run(
        [
            *(needs("swaks"), "--protocol", "LMTP", "--server", "127.0.0.1"),
            *("--port", str(server.ports["lmtp"]), "--from", "x@example.com"),
            *("--to", "alice@example.org,nobody@example.org,team@example.org"),
            *("--h-Subject", "by swaks"),
        ],
        server.folder,
        status=None,
    )
    assert "250 2.0.0 <alice@example.org> Ok: queued as" in said
    assert "550 5.1.1" in said
    assert subjects(server) == subjects(server, "alice@example.org") == ["by swaks"]


def test_python_delivers(server: LiveServer) -> None:
    with smtplib.LMTP("127.0.0.1", server.ports["lmtp"], timeout=PATIENCE) as client:
        refused = client.sendmail(
            "x@example.com", ["bob@example.org", "nobody@example.org"], hello("by python").encode()
        )
    assert list(refused) == ["nobody@example.org"]
    assert subjects(server) == ["by python"]


def test_postfix_delivers_a_thousand_over_a_unix_socket(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    (folder / "mail.toml.d").mkdir(parents=True)
    path = folder / "lmtp.sock"
    (folder / "mail.toml.d" / "lmtp.toml").write_text(
        f'[[listener]]\nservice = "lmtp"\nendpoint = "unix:{path}:mode=600"\ntls = "none"\n'
    )
    server = LiveServer(folder)
    try:
        run(
            [
                *(needs("smtp-source"), "-L", "-m", "1000", "-s", "20", "-d"),
                *("-f", "x@example.com", "-t", "bob@example.org", f"unix:{path}"),
            ],
            folder,
        )
        assert len(os.listdir(server.maildir("bob@example.org") / "new")) == 1000
    finally:
        server.stop()
