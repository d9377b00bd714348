"""LMTP clients: swaks, curl, and Postfix delivering over a UNIX socket."""

import smtplib

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
