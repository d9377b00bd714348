"""Endpoints, and the sockets that systemd passes."""

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.python.systemd import ListenFDs

from twisted_mail.net.server.all_interfaces import AllInterfacesEndpoint
from twisted_mail.net.server.endpoints import ServerEndpoints, unix_mode


class Passed:
    """Sockets as systemd passes them, by name."""

    def __init__(self) -> None:
        self.smtp = socket.create_server(("127.0.0.1", 0))
        self.client = socket.socket()  # one that does not listen
        numbers = [self.smtp.fileno(), self.client.fileno()]
        self.endpoints = ServerEndpoints(Clock(), ListenFDs(numbers, ["smtp", "client"]))

    def close(self) -> None:
        self.smtp.close()
        self.client.close()


@pytest.fixture
def passed() -> Iterator[Passed]:
    found = Passed()
    yield found
    found.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("systemd:domain=INET:name=imap", "no socket called 'imap'; it passed: smtp, client"),
        ("systemd:domain=INET:index=2", "no socket 2; it passed 2: smtp, client"),
        ("systemd:domain=INET:index=-1", "no socket -1"),
        ("systemd:domain=INET6:name=smtp", "passed a socket of INET, not of INET6"),
        ("systemd:domain=IMET:name=smtp", "no domain 'IMET'"),
        ("systemd:domain=INET:name=client", "does not listen"),
        ("systemd:name=smtp", "needs domain="),
        ("systemd:domain=INET", "one of name= and index="),
        ("systemd:domain=INET:name=smtp:index=0", "one of name= and index="),
    ],
)
def test_what_systemd_did_not_pass_is_explained(passed: Passed, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"systemd|domain") as caught:
        passed.endpoints.make(text)
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["systemd:domain=INET:index=0", "systemd:domain=INET:name=x"])
def test_without_systemd_there_are_no_sockets(text: str) -> None:
    with pytest.raises(ValueError, match="systemd passed no sockets"):
        ServerEndpoints(Clock(), ListenFDs([], [])).make(text)


def test_a_descriptor_that_is_closed_is_no_socket() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    endpoints = ServerEndpoints(Clock(), ListenFDs([reader], ["smtp"]))
    with pytest.raises(ValueError, match="Bad file descriptor"):
        endpoints.make("systemd:domain=INET:name=smtp")


def test_a_socket_is_used_once_and_those_that_nobody_uses_are_known(passed: Passed) -> None:
    endpoint: Any = passed.endpoints.make("systemd:domain=INET:name=smtp")
    assert endpoint.fileno == passed.smtp.fileno()
    assert passed.endpoints.unused == ["client"]
    with pytest.raises(ValueError, match="used already"):
        passed.endpoints.make("systemd:domain=INET:index=0")


def test_a_file_that_is_missing_is_explained() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        ServerEndpoints(Clock()).make("ssl:993:privateKey=/nowhere")


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("unix:/run/x", 0o660),
        ("unix:/run/x:mode=666", 0o666),
        ("unix:/run/x:600", 0o600),
        ("unix:/run/mode\\=666", 0o660),
        ("unix:/run/x\\:mode\\=666", 0o660),
    ],
)
def test_a_unix_socket_is_open_to_all_only_where_that_is_written(text: str, mode: int) -> None:
    endpoint: Any = ServerEndpoints(Clock()).make(text)
    assert (endpoint._mode, unix_mode(text)) == (mode, mode)


@pytest.mark.parametrize("text", ["tcp:25", "tcp:port=25", "tcp:25:backlog=5"])
def test_a_port_without_an_interface_is_on_all_of_them(text: str) -> None:
    assert isinstance(ServerEndpoints(Clock()).make(text), AllInterfacesEndpoint)


def test_a_port_of_one_interface_is_there_alone() -> None:
    endpoint: Any = ServerEndpoints(Clock()).make("tcp:25:interface=0.0.0.0")
    assert endpoint._interface == "0.0.0.0"


class NoRight(socket.socket):
    def bind(self, address: Any) -> None:
        raise PermissionError(13, "Permission denied")


def test_a_port_that_needs_a_right_is_known_before_it_is_closed(
    passed: Passed, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = passed.smtp.getsockname()[1]
    assert not passed.endpoints.lacks_right(taken)
    assert not passed.endpoints.lacks_right(0)
    monkeypatch.setattr(socket, "socket", NoRight)
    assert passed.endpoints.lacks_right(25)
