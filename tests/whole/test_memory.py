"""What connections cost while they are idle, and what is left of them when they have gone."""

import gc
import resource
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CoroutineType

import pytest
from OpenSSL import SSL
from twisted.internet.tcp import Server
from twisted.protocols.tls import BufferingTLSTransport

from tests.whole.hostile import MIB, ObservedServer, Raw, eventually, many_descriptors, plain, raw
from tests.whole.live import LISTENERS, LiveServer, in_reactor
from twisted_mail.net.connection.conversation import Conversation

pytestmark = pytest.mark.whole

# ---------------------------------------------------------------- no cycles

PARTS = (Conversation, Server, BufferingTLSTransport, SSL.Connection, CoroutineType)
OPENING = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"
STARTING = {
    "smtp": (b"HELO x", b"STARTTLS"),
    "submission": (b"HELO x", b"STARTTLS"),
    "lmtp": (b"STARTTLS",),
    "pop3": (b"STLS",),
    "imap": (b"a STARTTLS",),
}
PARTING = {"imap": b"a LOGOUT"}  # others say QUIT


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def parts() -> int:
    """Return how many parts of connections are in memory, whatever keeps them there."""
    return sum(issubclass(type(one), PARTS) for one in in_reactor(gc.get_objects))


def leave_silently(client: Raw, service: str) -> None:
    client.close()


def leave_politely(client: Raw, service: str) -> None:
    assert client.ask(PARTING.get(service, b"QUIT"))
    client.rest()
    client.close()


def leave_abruptly(client: Raw, service: str) -> None:
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("leave", [leave_silently, leave_politely, leave_abruptly])
@pytest.mark.parametrize("listener", LISTENERS)
def test_a_connection_that_has_gone_is_freed_at_once(
    server: LiveServer, listener: str, leave: Callable[[Raw, str], None]
) -> None:
    before = parts()
    for _ in range(3):
        leave(raw(server, listener), LISTENERS[listener][0])
    assert eventually(lambda: parts() <= before, 5)


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("leave", [leave_silently, leave_politely, leave_abruptly])
@pytest.mark.parametrize("listener", STARTING)
def test_so_is_one_that_has_started_tls(
    server: LiveServer, listener: str, leave: Callable[[Raw, str], None]
) -> None:
    before = parts()
    for _ in range(3):
        client = raw(server, listener)
        for line in STARTING[listener]:
            client.ask(line)
        client.socket = server.secured(client.socket)
        leave(client, LISTENERS[listener][0])
    assert eventually(lambda: parts() <= before, 5)


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("data", [OPENING + b"Subject: half\r\n", b"STARTTLS\r\n" + b"junk" * 20])
def test_so_is_one_that_broke_off(server: LiveServer, data: bytes) -> None:
    before = parts()
    for _ in range(3):
        with raw(server, "smtp") as client:
            client.send(b"EHLO x\r\n" + data)
            client.until(b"354" if data.startswith(b"MAIL") else b"220")
    assert eventually(lambda: parts() <= before, 5)


# ---------------------------------------------------------------- thousands

MOST = 5000  # connections that the server is set to hold
MOST_OCTETS = 10 * 1024  # for one that is idle
ROUNDS = 2


@pytest.fixture
def observed(tmp_path: Path) -> Iterator[ObservedServer]:
    with many_descriptors(4 * MOST):
        if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 3 * MOST:
            pytest.skip("this system allows too few descriptors")
        observed = ObservedServer(
            tmp_path, listener=f"connections = {MOST}\nconnections_per_address = {2 * MOST}\n"
        )
        yield observed
        bugs = observed.bugs()
        observed.stop()
    assert not bugs


def crowd(observed: ObservedServer) -> list[Raw]:
    """Let as many in as may come; all have said who they are and wait."""
    clients = [observed.connect("smtp") for _ in range(MOST)]
    for client in clients:
        client.send(b"EHLO client.example.com\r\n")
    for client in clients:
        assert client.until(b"250 ")[-1].startswith(b"250 ")
    return clients


def leave_all(observed: ObservedServer, clients: list[Raw], descriptors: int) -> None:
    for client in clients:
        client.close()
    assert eventually(lambda: observed.descriptors() <= descriptors + 20)


def test_five_thousand_wait_and_their_memory_returns(
    observed: ObservedServer, record_property: Callable[[str, object], None]
) -> None:
    descriptors, start = observed.descriptors(), observed.share()
    most, kept = [], []
    for _ in range(ROUNDS):
        clients = crowd(observed)
        most.append(observed.share() - start)
        for _ in range(3):
            with plain(observed.ports["smtp"]) as late:
                assert late.rest().startswith(b"421 ")
        assert clients[MOST // 2].ask(b"NOOP").startswith(b"250 ")
        leave_all(observed, clients, descriptors)
        with observed.connect("smtp") as client:
            assert client.ask(b"NOOP").startswith(b"250 ")
        eventually(lambda: observed.share() - start < most[0] // 2, 60)
        kept.append(observed.share() - start)
    record_property("octets for one idle connection", most[0] // MOST)
    record_property("KiB taken by each crowd in all", [one // 1024 for one in most])
    record_property("KiB kept when it had gone", [one // 1024 for one in kept])
    assert most[0] < MOST * MOST_OCTETS
    assert most[-1] < most[0] + 8 * MIB, "the second crowd does not find the first one's memory"
    assert max(kept) < most[0] * 3 // 4, "memory does not return"
