"""The server ends within its bound, whatever it is doing."""

import base64
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.whole.hostile import eventually
from tests.whole.live import CONFIG, PATIENCE, furnish
from tests.whole.ports import free_port
from tests.whole.process import ServerProcess

pytestmark = pytest.mark.whole

# Connections get five seconds for the farewell, and threads four for what they have begun.
BOUND = 5 + 4 + 4  # with four for the interpreter, and other processes of the machine
SLOW = CONFIG.replace("memory_mib = 1\npasses = 1", "memory_mib = 256\npasses = 100\nthreads = 1")
LOGIN = base64.b64encode(b"\0nobody@example.org\0secret")


class Busy:
    """A server whose password checks take long, and its clients."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        furnish(folder)
        self.port, self.log, self.clients = free_port(), folder / "log", ExitStack()
        listener = (
            '[[listener]]\nservice = "smtp"\ncleartext_passwords = true\n'
            f'endpoint = "tcp:{self.port}:interface=127.0.0.1"\n'
        )
        (folder / "mail.toml").write_text(
            f"{SLOW}{settings}[smtp]\noffers_login = true\n{listener}"
        )
        self.process = ServerProcess(folder / "mail.toml", self.log)

    def client(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        self.clients.enter_context(client)
        client.recv(1000)
        client.sendall(b"EHLO client.example\r\n")
        client.recv(4000)
        return client

    def stop(self) -> float:
        """Ask the server to end; return the seconds that it took."""
        process, began = self.process._process, time.monotonic()
        process.terminate()
        assert process.wait(60) in (0, -signal.SIGTERM)
        assert "Traceback" not in self.log.read_text()
        return time.monotonic() - began


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Busy]:
    found = Busy(tmp_path)
    yield found
    found.clients.close()
    if found.process._process.poll() is None:
        found.process.kill()


def test_password_hashes_that_wait_are_dropped(busy: Busy) -> None:
    for _ in range(30):
        busy.client().sendall(b"AUTH PLAIN " + LOGIN + b"\r\n")
    assert busy.stop() < BOUND


def test_a_long_chunk_is_cut_off(busy: Busy) -> None:
    client = busy.client()
    client.sendall(
        b"MAIL FROM:<a@example.com>\r\nRCPT TO:<bob@example.org>\r\nBDAT 50000000 LAST\r\nSubject"
    )
    assert client.recv(1000).startswith(b"250")
    assert busy.stop() < BOUND


def test_workers_end_in_time_too(tmp_path: Path) -> None:
    busy = Busy(tmp_path, "[workers]\nnumber = 2\n")
    with busy.clients:
        assert eventually(lambda: busy.log.read_text().count("is at work") == 2)
        for _ in range(30):
            busy.client().sendall(b"AUTH PLAIN " + LOGIN + b"\r\n")
        assert busy.stop() < BOUND + 4  # the threads of the workers, then those of the main process
