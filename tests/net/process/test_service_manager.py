"""What systemd hears, over real sockets."""

import os
import socket
import time
from pathlib import Path

import pytest
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from twisted_mail.net.process.service_manager import MOST_WAITING, RETRY_SECONDS, ServiceManager


class Manager:
    """The socket of a service manager, by path or in the abstract namespace."""

    def __init__(self, name: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{name[1:]}" if name.startswith("@") else name)
        self.socket.setblocking(False)
        self.environ = {"NOTIFY_SOCKET": name, "PATH": "/bin"}

    def heard(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return found


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Manager:
    name = str(tmp_path / "notify")
    return Manager(f"@{name}" if request.param == "abstract" else name)


def test_the_life_of_a_server(manager: Manager) -> None:
    server = ServiceManager(Clock(), manager.environ)
    assert server.is_there
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    server.ready("serves\nsmtp")
    server.reloading()
    server.ready("serves imap")
    server.alive()
    server.stopping()
    heard = manager.heard()
    assert heard[0] == "READY=1\nSTATUS=serves smtp"
    name, _, micros = heard[1].splitlines()[1].partition("=")
    assert (heard[1].splitlines()[0], name) == ("RELOADING=1", "MONOTONIC_USEC")
    assert before <= int(micros) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert heard[2:4] == ["READY=1\nSTATUS=serves imap", "WATCHDOG=1"]
    assert heard[4].startswith("STOPPING=1\n")


def test_programs_that_the_server_runs_do_not_see_the_variables(manager: Manager) -> None:
    manager.environ |= {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}
    assert ServiceManager(Clock(), manager.environ).watchdog_seconds == 15
    assert manager.environ == {"PATH": "/bin"}


@pytest.mark.parametrize(
    "watchdog",
    [
        {},
        {"WATCHDOG_USEC": "x"},
        {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "0"},
    ],
)
def test_no_watchdog_is_fed_that_is_not_there(manager: Manager, watchdog: dict[str, str]) -> None:
    assert ServiceManager(Clock(), manager.environ | watchdog).watchdog_seconds == 0


@pytest.mark.parametrize("text", ["", "vsock:2:1234", "relative"])
def test_without_a_socket_nothing_is_sent(text: str) -> None:
    server = ServiceManager(Clock(), {"NOTIFY_SOCKET": text, "WATCHDOG_USEC": "30000000"})
    assert not server.is_there
    assert server.watchdog_seconds == 0
    server.ready("serves")
    assert not server._waiting


def test_a_manager_that_has_no_room_is_asked_again(manager: Manager) -> None:
    clock = Clock()
    server = ServiceManager(clock, manager.environ)
    while not clock.getDelayedCalls():
        server.alive()
    server.ready("serves")
    assert manager.heard()
    clock.advance(RETRY_SECONDS)
    assert manager.heard()[-1] == "READY=1\nSTATUS=serves"
    assert not clock.getDelayedCalls()


def test_what_waits_is_bounded(manager: Manager) -> None:
    clock = Clock()
    server = ServiceManager(clock, manager.environ)
    while len(server._waiting) < MOST_WAITING:
        server.alive()
    server.alive()
    assert len(server._waiting) == MOST_WAITING


def test_a_socket_that_is_gone_is_logged(tmp_path: Path) -> None:
    events: list[object] = []
    globalLogPublisher.addObserver(events.append)
    try:
        server = ServiceManager(Clock(), {"NOTIFY_SOCKET": str(tmp_path / "gone")})
        server.ready("serves")
    finally:
        globalLogPublisher.removeObserver(events.append)
    assert "No such file" in str(events[-1])
    assert not server._waiting
