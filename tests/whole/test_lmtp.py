"""LMTP clients: swaks, Python's own, and that of Postfix over a UNIX socket."""

import os
import smtplib
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.whole.clients import hello, run, subjects
from tests.whole.live import PATIENCE, LiveServer, needs
from tests.whole.senders import Postfix

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


class PostfixWithLmtp(Postfix):
    """Postfix that hands everything on by LMTP."""

    def _prepare(self) -> Sequence[tuple[str, str]]:
        self._settings = f"relayhost =\ndefault_transport = lmtp:inet:127.0.0.1:{self._target}"
        prepared = super()._prepare()
        with (self.folder / "etc" / "master.cf").open("a") as file:
            file.write("lmtp unix - - n - - lmtp\n")
        return prepared


def test_postfix_hears_of_each_recipient(server: LiveServer) -> None:
    postfix = PostfixWithLmtp(server.ports["lmtp"])
    try:
        recipients = ["bob@example.org", "nobody@example.org", "alice@example.org"]
        postfix.send(hello("by postfix").encode(), recipients)
        deadline = time.monotonic() + PATIENCE
        while postfix.log().count("status=") < 3 and time.monotonic() < deadline:
            time.sleep(0.1)
        log = postfix.log()
    finally:
        postfix.stop()
    assert "250 2.0.0 <bob@example.org> Ok: queued as" in log
    assert "250 2.0.0 <alice@example.org> Ok: queued as" in log
    assert "status=bounced (host 127.0.0.1[127.0.0.1] said: 550 5.1.1" in log
    assert subjects(server) == subjects(server, "alice@example.org") == ["by postfix"]
