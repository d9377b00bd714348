"""What systemd passes and hears: sockets, and the states of the server.

Nothing here needs a running systemd: its side of sd_listen_fds(3) and sd_notify(3) is played, and once
its own program ``systemd-socket-activate`` passes the sockets.
"""

import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.whole.hostile import eventually
from tests.whole.live import CONFIG, PATIENCE, furnish, needs
from tests.whole.ports import free_port
from tests.whole.process import TWISTD, select_nothing

pytestmark = pytest.mark.whole

# Binds sockets, passes them as systemd does, and becomes the server; their ports go to a file.
PASS = """\
import os, socket, sys
names, command = sys.argv[2].split(":"), sys.argv[3:]
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
with open(sys.argv[1], "w") as file:
    print(*(one.getsockname()[1] for one in sockets), file=file)
moved = [os.dup(one.fileno()) for one in sockets]
for number, one in enumerate(moved):
    os.dup2(one, 3 + number)
os.environ |= {
    "LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(names)), "LISTEN_FDNAMES": sys.argv[2],
}
os.execv(command[0], command)
"""


class Unit:
    """A server that is started as systemd would."""

    def __init__(self, folder: Path) -> None:
        furnish(folder)
        self.folder, self.log, self.config = folder, folder / "log", folder / "mail.toml"
        self.command = [str(TWISTD), "--nodaemon", "--pidfile=", "mailserver"]
        self.command += ["--config", str(self.config)]
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(f"\0{folder}/notify")
        self.manager.settimeout(PATIENCE)
        self.process: subprocess.Popen[bytes] | None = None

    def configure(self, *listeners: str) -> None:
        written = "".join(
            f'[[listener]]\nservice = "{one.split()[0]}"\nendpoint = "{one.split()[1]}"\n'
            for one in listeners
        )
        self.config.write_text(CONFIG + written)

    def start(self, *before: str, **environment: str) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*before, *self.command], stdout=log, stderr=log, env={**os.environ, **environment}
            )
        return self.process

    def start_with_sockets(self, names: str) -> list[int]:
        """Start with sockets of these names; return their ports."""
        ports = self.folder / "ports"
        self.start(sys.executable, "-c", PASS, str(ports), names)
        assert eventually(lambda: ports.exists() and ports.read_text().endswith("\n"))
        return [int(one) for one in ports.read_text().split()]

    def hears(self, wanted: str) -> list[str]:
        """Return the lines of the next datagram that is not about the watchdog, unless that is wanted."""
        while True:
            lines = self.manager.recv(4096).decode().splitlines()
            if lines[0] == wanted or lines[0] != "WATCHDOG=1":
                assert lines[0] == wanted
                return lines

    def text(self) -> str:
        return self.log.read_text()

    def ends(self) -> int:
        assert self.process is not None
        return self.process.wait(PATIENCE)


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    found = Unit(tmp_path)
    yield found
    found.manager.close()
    if found.process is not None and found.process.poll() is None:
        found.process.terminate()
        found.process.wait(PATIENCE)


def greets(port: int) -> bool:
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        return client.noop()[0] == 250


def test_the_manager_hears_of_each_state_of_the_server(unit: Unit) -> None:
    port = free_port()
    unit.configure(f"smtp tcp:{port}:interface=127.0.0.1")
    process = unit.start(NOTIFY_SOCKET=f"@{unit.folder}/notify", WATCHDOG_USEC="400000")
    ready = unit.hears("READY=1")
    assert f"serves mail.example.org: smtp on tcp:{port}" in ready[1]
    assert greets(port)  # at once, as it said so
    unit.hears("WATCHDOG=1")
    process.send_signal(signal.SIGHUP)
    reloading = unit.hears("RELOADING=1")
    name, _, micros = reloading[1].partition("=")
    assert name == "MONOTONIC_USEC"
    assert 0 < int(micros) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    unit.hears("READY=1")
    process.send_signal(signal.SIGTERM)
    unit.hears("STOPPING=1")
    assert unit.ends() in (0, -signal.SIGTERM)
    assert "Traceback" not in unit.text()


def test_a_server_that_cannot_start_is_never_ready(unit: Unit) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        unit.configure(f"smtp tcp:{other.getsockname()[1]}:interface=127.0.0.1")
        unit.start(NOTIFY_SOCKET=f"@{unit.folder}/notify")
        assert unit.ends() == 1
    unit.manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        unit.manager.recv(4096)


def test_sockets_are_taken_by_their_names(unit: Unit) -> None:
    unit.configure("smtp systemd:domain=INET:name=mx", "lmtp systemd:domain=INET:name=local")
    other, local, unused, mx = unit.start_with_sockets("other:local:unused:mx")
    assert greets(mx)
    with smtplib.LMTP("127.0.0.1", local, timeout=PATIENCE) as client:
        assert client.docmd("LHLO", "c")[0] == 250
    for name in ("other", "unused"):
        assert eventually(lambda name=name: f"passed the socket {name}, which no" in unit.text())
    assert other
    assert unused
    process = unit.process
    assert process is not None
    process.send_signal(signal.SIGHUP)
    assert eventually(lambda: "reload: nothing changes" in unit.text())
    assert greets(mx)


def test_a_socket_is_taken_by_its_index(unit: Unit) -> None:
    unit.configure("smtp systemd:domain=INET:index=1")
    _, port = unit.start_with_sockets("one:two")
    assert greets(port)


MISSING: dict[str, Callable[[Unit], object]] = {
    "systemd passed no sockets": lambda unit: unit.start(),
    "systemd passed no socket called 'imap'; it passed: smtp": (
        lambda unit: unit.start_with_sockets("smtp")
    ),
}


@pytest.mark.parametrize("words", MISSING)
def test_a_socket_that_was_not_passed_ends_the_start_with_one_line(unit: Unit, words: str) -> None:
    unit.configure("imap systemd:domain=INET:name=imap")
    MISSING[words](unit)
    assert unit.ends() == 1
    [line] = [line for line in unit.text().splitlines() if "listener[1]" in line]
    assert f"mailserver: listener[1]: {words}" in line
    assert "Traceback" not in unit.text()


def test_an_index_without_systemd_ends_the_start_with_one_line(unit: Unit) -> None:
    unit.configure("imap systemd:domain=INET:index=0")
    unit.start()
    assert unit.ends() == 1
    assert "mailserver: listener[1]: systemd passed no sockets" in unit.text()
    assert "Traceback" not in unit.text()


def test_sockets_of_systemd_itself(unit: Unit) -> None:
    activate, port = needs("systemd-socket-activate"), free_port()
    unit.configure("smtp systemd:domain=INET:name=mx")
    unit.start(activate, "-l", f"127.0.0.1:{port}", "--fdname=mx", "--")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        select_nothing(0.05)
    assert greets(port)
