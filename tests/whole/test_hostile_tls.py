"""TLS where none is expected, none where TLS is, and clients that stop half-way."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.hostile import Raw, eventually, good_client_is_served, plain, raw
from tests.whole.live import LISTENERS, LiveServer
from twisted_mail.net.connection import security

pytestmark = pytest.mark.whole

IMPLICIT = [name for name, (_, mode) in LISTENERS.items() if mode == "implicit"]
UPGRADES = [
    ("smtp", b"EHLO x\r\nSTARTTLS\r\n", b"220"),
    ("submission", b"EHLO x\r\nSTARTTLS\r\n", b"220"),
    ("pop3", b"STLS\r\n", b"+OK"),
    ("imap", b"a STARTTLS\r\n", b"a OK"),
]
GARBAGE = [
    b"GET / HTTP/1.0\r\n\r\n",
    b"EHLO x\r\n",
    b"a LOGIN bob@example.org secret\r\n",
    b"\0" * 20_000,
    b"\x16\x03\x01\xff\xff" + b"\x01" * 70_000,  # a record longer than any
    b"\x16\x03\x01\x00\x05\x01\x00\x00\x00\x00",  # a ClientHello of nothing
    b"\x80\x2e\x01\x00\x02" + b"\x00" * 41,  # SSL 2
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder: Path = tmp_path_factory.mktemp("tls")
    patience = pytest.MonkeyPatch()
    patience.setattr(security, "HANDSHAKE_SECONDS", 0.3)
    short = "login_timeout = 1.0\n"
    live = LiveServer(
        folder,
        f"[imap]\n{short}[pop3]\n{short}[smtp]\ncommand_timeout = 1.0\nerror_delay = 0.0\n"
        "[submission]\ncommand_timeout = 1.0\nerror_delay = 0.0\n",
    )
    yield live
    live.stop()
    patience.undo()


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
@pytest.mark.parametrize("name", IMPLICIT)
def test_what_is_no_handshake_is_cut_off(server: LiveServer, name: str, garbage: bytes) -> None:
    with plain(server.ports[name]) as client:
        client.send(garbage)
        answer = client.finish()
    assert not answer or answer[:1] == b"\x15", "nothing but an alert"


@pytest.mark.parametrize("name", IMPLICIT)
def test_who_says_nothing_before_the_handshake_is_cut_off(server: LiveServer, name: str) -> None:
    with plain(server.ports[name]) as client:
        assert client.rest() == b""


@pytest.mark.parametrize("name", IMPLICIT)
def test_who_stops_in_the_handshake_is_cut_off(server: LiveServer, name: str) -> None:
    with plain(server.ports[name]) as client:
        client.send(
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
        )  # the beginning of a ClientHello
        assert client.rest() == b""


@pytest.mark.parametrize(("name", "command", "answer"), UPGRADES)
def test_who_stops_behind_starttls_is_cut_off(
    server: LiveServer, name: str, command: bytes, answer: bytes
) -> None:
    with raw(server, name) as client:
        client.send(command)
        assert answer in client.rest()


@pytest.mark.parametrize(("name", "command", "answer"), UPGRADES)
def test_garbage_behind_starttls_is_cut_off(
    server: LiveServer, name: str, command: bytes, answer: bytes
) -> None:
    with raw(server, name) as client:
        client.send(command)
        assert client.until(answer)[-1].startswith(answer)
        client.send(b"NOOP\r\n" * 10)
        assert b"NOOP" not in client.rest()


@pytest.mark.parametrize("name", ["smtp", "submission", "pop3", "imap"])
def test_a_handshake_where_text_is_expected_ends_in_words(server: LiveServer, name: str) -> None:
    with raw(server, name) as client, pytest.raises((ssl.SSLError, OSError)):
        server.secured(client.socket)
    good_client_is_served(server)


@pytest.mark.parametrize(("name", "command", "answer"), UPGRADES)
def test_a_second_starttls_is_refused(
    server: LiveServer, name: str, command: bytes, answer: bytes
) -> None:
    with raw(server, name) as client:
        client.send(command)
        assert client.until(answer)[-1].startswith(answer)
        client.socket = server.secured(client.socket)
        client.send(command)
        client.send({"smtp": b"QUIT\r\n", "pop3": b"QUIT\r\n"}.get(name, b"b LOGOUT\r\nQUIT\r\n"))
        assert answer not in [line[: len(answer)] for line in client.rest().split(b"\r\n")[:-2]]


@pytest.mark.parametrize(
    ("name", "packet"),
    [
        ("pop3", b"STLS\r\nUSER bob@example.org\r\nPASS secret\r\nSTAT\r\n"),
        ("imap", b"a STARTTLS\r\nb LOGIN bob@example.org secret\r\nc SELECT INBOX\r\n"),
        ("imap", b"a STARTTLS\r\nb LOGIN {3}\r\nbob"),
        ("imap", b"a STARTTLS\r\nb"),
        ("pop3", b"STLS\r\nU"),
    ],
)
def test_what_follows_starttls_in_the_same_packet_is_never_run(
    server: LiveServer, name: str, packet: bytes
) -> None:
    with raw(server, name) as client:
        client.send(packet)
        answers = client.rest()
    assert answers.startswith((b"-ERR", b"a BAD"))
    assert b"OK" not in answers
    assert answers.count(b"\r\n") <= 2


def test_connections_are_given_back_when_handshakes_fail(server: LiveServer) -> None:
    clients: list[Raw] = [plain(server.ports["imaps"]) for _ in range(99)]
    for client in clients:
        client.send(b"\x16\x03\x01garbage")
        client.close()

    def is_free() -> bool:
        with raw(server, "imaps") as client:
            return client.ask(b"a NOOP").startswith(b"a OK")

    assert eventually(is_free)
