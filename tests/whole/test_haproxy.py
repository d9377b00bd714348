"""HAProxy in front: both versions of its protocol, before TLS and in clear."""

import json
import smtplib
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.whole.clients import hello, imap, subjects
from tests.whole.live import HOSTNAME, PATIENCE, LiveServer, needs
from tests.whole.ports import free_port
from tests.whole.process import wait_until_listening

pytestmark = pytest.mark.whole

CLIENT = "127.0.0.9"  # another address of the loopback interface than the proxy's
SERVICES = (("smtp", "starttls"), ("submission", "implicit"), ("imap", "implicit"))
HEAD = """\
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
"""


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[LiveServer]:
    """A server with listeners behind a proxy beside the others."""
    (tmp_path / "mail.toml.d").mkdir()
    listeners = "".join(
        f'[[listener]]\nservice = "{service}"\nendpoint = "tcp:0:interface=127.0.0.1"\n'
        f'tls = "{tls}"\nproxy = true\nproxies = ["127.0.0.1"]\n'
        for service, tls in SERVICES
    )
    (tmp_path / "mail.toml.d" / "proxied.toml").write_text(listeners)
    live = LiveServer(tmp_path)
    yield live
    live.stop()


@contextmanager
def haproxy(server: LiveServer, word: str) -> Iterator[list[int]]:
    """Run HAProxy before the listeners; give its ports."""
    ports = [free_port() for _ in server.more_ports]
    config = HEAD + "".join(
        f"listen proxy{at}\n    bind 127.0.0.1:{port}\n"
        f"    server mail 127.0.0.1:{server.more_ports[at]} {word}\n"
        for at, port in enumerate(ports)
    )
    path = server.folder / "haproxy.cfg"
    path.write_text(config)
    process = subprocess.Popen([needs("haproxy"), "-db", "-f", str(path)])
    try:
        for port in ports:
            wait_until_listening(port, process)
        yield ports
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize(
    "word", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c"]
)
def test_the_client_is_seen_through_the_proxy(proxied: LiveServer, word: str) -> None:
    with haproxy(proxied, word) as (smtp, submission, imaps):
        with smtplib.SMTP(
            "127.0.0.1", smtp, timeout=PATIENCE, source_address=(CLIENT, 0)
        ) as client:
            client.sendmail("x@example.com", ["bob@example.org"], hello("in clear").encode())
        context = ssl.create_default_context(cafile=str(proxied.folder / "ca.pem"))
        context.check_hostname = False
        with smtplib.SMTP_SSL(
            "127.0.0.1", submission, timeout=PATIENCE, context=context, source_address=(CLIENT, 0)
        ) as client:
            client.login("alice@example.org", "secret")
            client.sendmail("alice@example.org", ["bob@example.org"], hello("in tls").encode())
        connection = socket.create_connection(("127.0.0.1", imaps), PATIENCE)
        greeting = context.wrap_socket(connection, server_hostname=HOSTNAME).recv(1000)
    assert greeting.startswith(b"* OK")
    assert subjects(proxied) == ["in clear", "in tls"]
    client = imap(proxied)
    client.select("INBOX", readonly=True)
    _, found = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (RECEIVED)])")
    client.logout()
    fields = [part[1].decode() for part in found if isinstance(part, tuple)]
    assert len(fields) == 2
    assert all(f"[{CLIENT}]" in field for field in fields), json.dumps(fields)


def test_who_is_no_proxy_is_not_served(proxied: LiveServer) -> None:
    for port in proxied.more_ports:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(b"EHLO client.example\r\n")
            assert _closes(connection)
        stranger = socket.create_connection(("127.0.0.1", port), PATIENCE, (CLIENT, 0))
        with stranger:
            assert _closes(stranger)


def _closes(connection: socket.socket) -> bool:
    """Say whether the connection ends without a word."""
    try:
        return connection.recv(100) == b""
    except ConnectionResetError:
        return True
