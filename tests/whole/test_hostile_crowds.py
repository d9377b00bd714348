"""Many connections at once: those that say nothing, read nothing, or have much to do."""

import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.whole import good_client
from tests.whole.clients import run
from tests.whole.company import Company
from tests.whole.hostile import (
    MIB,
    Metronome,
    ObservedServer,
    Raw,
    eventually,
    logged_in,
    many_descriptors,
    plain,
    selected,
)

pytestmark = pytest.mark.whole

PATIENT = 1.0  # seconds that a good client waits at most, whatever others do
SERVICES = ["smtp", "pop3", "imap", "imaps"]
IDLE = 500  # connections for each of the services
TOGETHER = 40  # clients that have much to do
FINAL = b"z LOGOUT\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservedServer]:
    folder: Path = tmp_path_factory.mktemp("crowds")
    with many_descriptors(8192):
        server = ObservedServer(folder, listener="connections_per_address = 3000\n")
        with selected(server.connect("imap")) as bob:
            for number in range(50):
                text = b"Subject: %d\r\n\r\n" % number + b"x" * 70 * 1500 + b"\r\n"
                bob.send(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(text), text))
                assert bob.until(b"a ")[-1].startswith(b"a OK")
        yield server
        bugs = server.bugs()
        server.stop()
    assert not bugs


def seconds_to_serve(server: ObservedServer, name: str) -> float:
    began = time.monotonic()
    with server.connect(name) as client:
        if name.startswith("imap"):
            logged_in(client)
        elif name == "pop3":
            client.send(b"USER alice@example.org\r\nPASS secret\r\n")
            assert client.until(b"+OK 0")[-1].startswith(b"+OK")
            assert client.ask(b"QUIT").startswith(b"+OK")
        else:
            assert client.ask(b"HELO x").startswith(b"250")
    return time.monotonic() - began


def test_thousands_who_say_nothing_cost_little_and_hold_nobody_up(
    server: ObservedServer, record_property: Callable[[str, object], None]
) -> None:
    descriptors = server.descriptors()
    for _ in range(2):
        memory = server.memory()
        idle: list[Raw] = []
        for name in SERVICES:
            before = server.memory()
            idle += [server.connect(name) for _ in range(IDLE)]
            record_property(f"octets for one idle {name}", (server.memory() - before) // IDLE)
        assert server.memory() - memory < 2 * IDLE * 100_000
        for name in SERVICES:
            assert seconds_to_serve(server, name) < PATIENT
        for client in idle:
            client.close()
        assert eventually(lambda: server.descriptors() <= descriptors + 20)
    assert server.memory() - memory < 10 * MIB, "the second crowd found the first one's memory"


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("imap", b"a FETCH 1:* (BODY.PEEK[])\r\n"),
        ("imaps", b"a FETCH 1:* (BODY.PEEK[])\r\n"),
        ("imap", b"a NOOP\r\n"),
        ("imap", b'a LIST "" *\r\n'),
        ("imap", b"a CAPABILITY\r\n"),
        ("pop3", b"LIST\r\nRETR 1\r\n"),
        ("pop3", b"CAPA\r\n"),
        ("smtp", b"HELP\r\n"),
    ],
)
def test_who_never_reads_answers_holds_little(
    server: ObservedServer, name: str, command: bytes
) -> None:
    if name == "pop3":
        with server.connect("pop3") as other:
            other.send(b"USER bob@example.org\r\nPASS secret\r\nQUIT\r\n")
            other.finish()
    before = server.memory()
    clients = []
    for _ in range(10):
        client = server.connect(name)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if name.startswith("imap"):
            selected(client)
        elif name == "pop3":
            client.send(b"USER bob@example.org\r\nPASS secret\r\n")
        client.socket.settimeout(0.05)
        with suppress(OSError):
            for _ in range(10):
                client.socket.sendall(command * (64_000 // len(command)))
        clients.append(client)
    assert seconds_to_serve(server, "imap") < PATIENT
    assert server.memory() - before < 10 * 4 * MIB
    for client in clients:
        client.close()


@pytest.mark.parametrize(
    "command",
    [b"a SEARCH ALL", b"a FETCH 1:* FLAGS", b"a NOOP", b"a CAPABILITY", b"a STATUS INBOX (UNSEEN)"],
)
def test_a_crowd_with_much_to_do_lets_others_in_between(
    server: ObservedServer, command: bytes
) -> None:
    clients = [selected(server.connect("imap")) for _ in range(TOGETHER)]
    with Metronome(server) as good:
        for client in clients:
            client.send((command + b"\r\n") * 100 + FINAL)
        for client in clients:
            assert b"z OK" in client.rest()
    assert good.worst < PATIENT


def test_hundreds_of_slow_senders_hold_nobody_up(server: ObservedServer) -> None:
    opening = b"EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n"
    clients = [server.connect("smtp") for _ in range(300)]
    for client in clients:
        client.send(opening)
    with Metronome(server) as good:
        for octet in b"Subject: slow\r\n\r\n":
            for client in clients:
                client.send(bytes([octet]))
        assert seconds_to_serve(server, "smtp") < PATIENT
    assert good.worst < PATIENT
    for client in clients:
        client.close()


@pytest.mark.parametrize(
    ("name", "partial"),
    [
        ("smtp", b"AUTH PLAIN " + b"A" * 12_000),
        ("smtp", b"x" * 2000),
        ("imap", b"a LOGIN {4000+}\r\n" + b"x" * 3999),
        ("pop3", b"AUTH PLAIN " + b"A" * 12_000),
    ],
)
def test_half_a_command_of_strangers_costs_its_length(
    server: ObservedServer, name: str, partial: bytes
) -> None:
    before = server.memory()
    clients = [server.connect(name) for _ in range(200)]
    for client in clients:
        client.send(partial)
    assert seconds_to_serve(server, name) < PATIENT
    assert server.memory() - before < 200 * 64 * 1024
    for client in clients:
        client.close()


BAD = 2000


def test_mail_is_taken_quickly_while_two_thousand_hang_on(
    server: ObservedServer, record_property: Callable[[str, object], None]
) -> None:
    with Company(server, BAD):
        said = run(
            [sys.executable, good_client.__file__, str(server.ports["smtp"]), "3"], server.folder
        )
    took = sorted(float(line) for line in said.split())
    record_property(
        "milliseconds for one delivery: median, longest", (took[len(took) // 2], took[-1])
    )
    assert len(took) >= 3
    # On a machine that does nothing else none takes 100 ms: python -m bench.bad_company
    assert took[len(took) // 2] < PATIENT


# ---------------------------------------------------------------- limits on connections

WORDS = {"smtp": b"421 ", "pop3": b"-ERR ", "imap": b"* BYE "}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservedServer]:
    folder: Path = tmp_path_factory.mktemp("small")
    server = ObservedServer(folder, listener="connections_per_address = 3\n")
    yield server
    server.stop()


def let_in(server: ObservedServer, name: str) -> Raw:
    """Connect until there is room: the server sees only after a while that somebody has left."""
    for _ in range(1000):
        client = plain(server.ports[name])
        if not client.line().startswith(WORDS[name]):
            return client
        client.close()
    raise AssertionError("no room is given back")


@pytest.mark.parametrize("name", WORDS)
def test_one_address_too_many_is_told_so_and_room_is_given_back(
    small: ObservedServer, name: str
) -> None:
    clients = [let_in(small, name) for _ in range(3)]
    with plain(small.ports[name]) as late:
        assert late.rest().startswith(WORDS[name])
    clients.pop().close()
    let_in(small, name).close()
    for client in clients:
        client.close()


def test_those_turned_away_at_a_tls_port_do_not_pile_up(small: ObservedServer) -> None:
    served = [plain(small.ports["imaps"]) for _ in range(3)]
    descriptors = small.descriptors()
    crowd = [plain(small.ports["imaps"]) for _ in range(400)]
    assert seconds_to_serve(small, "smtp") < PATIENT
    assert small.descriptors() < descriptors + 150
    for client in (*served, *crowd):
        client.close()
