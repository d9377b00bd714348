"""swaks: STARTTLS, every AUTH mechanism, and what is refused."""

import pytest

from tests.whole.clients import run, subjects
from tests.whole.live import LiveServer, needs

pytestmark = pytest.mark.whole


def swaks(server: LiveServer, listener: str, *arguments: str, status: int = 0) -> str:
    command = [needs("swaks"), "--server", f"127.0.0.1:{server.ports[listener]}"]
    return run([*command, *arguments], server.folder, status=status)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("tls", ["--tls", "--tls-on-connect"])
def test_starttls_and_auth(server: LiveServer, mechanism: str, tls: str) -> None:
    listener = "submission" if tls == "--tls" else "submissions"
    said = swaks(
        server,
        listener,
        tls,
        *("--tls-verify", "--tls-ca-path", str(server.folder / "ca.pem")),
        *("--auth", mechanism, "--auth-user", "alice@example.org", "--auth-password", "secret"),
        *("--from", "alice@example.org", "--to", "bob@example.org", "--h-Subject", mechanism),
    )
    assert "queued as" in said
    assert "=== TLS started" in said
    assert subjects(server) == [mechanism]


def test_pipelining(server: LiveServer) -> None:
    said = swaks(
        server, "smtp", "--pipeline", "--from", "x@example.com", "--to", "team@example.org"
    )
    assert "queued as" in said
    assert len(subjects(server)) == len(subjects(server, "alice@example.org")) == 1


def test_a_wrong_password_is_refused(server: LiveServer) -> None:
    said = swaks(
        server,
        "submission",
        *("--tls", "--auth", "PLAIN", "--auth-user", "alice@example.org"),
        *("--auth-password", "wrong", "--from", "alice@example.org", "--to", "bob@example.org"),
        status=28,
    )
    assert "535 5.7.8" in said
    assert subjects(server) == []


def test_submission_without_login_is_refused(server: LiveServer) -> None:
    said = swaks(
        server, "submission", "--from", "alice@example.org", "--to", "bob@example.org", status=23
    )
    assert "530 5.7.0" in said
