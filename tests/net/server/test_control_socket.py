"""Requests of commands to the running server."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock, StringTransport

from twisted_mail.net.server import control_socket
from twisted_mail.net.server.control_socket import (
    MAX_CLIENTS,
    MAX_REQUEST,
    REQUEST_SECONDS,
    ControlSocket,
)


class Asked:
    """A control socket with a request that is answered when ``answer`` fires."""

    def __init__(self, path: Path) -> None:
        self.reactor = MemoryReactorClock()
        self.answer, self.count = Deferred[Any](), 0
        self.control = ControlSocket(self.reactor, path, {"reload": self._reload})

    async def _reload(self) -> Any:
        self.count += 1
        return await self.answer

    def connect(self) -> tuple[Any, StringTransport] | None:
        protocol: Any = self.control.buildProtocol(None)
        if protocol is None:
            return None
        protocol.callLater = self.reactor.callLater
        transport = StringTransport()
        protocol.makeConnection(transport)
        return protocol, transport

    def client(self) -> tuple[Any, StringTransport]:
        connected = self.connect()
        assert connected is not None
        return connected


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    return Asked(tmp_path / "control.sock")


def test_a_request_is_answered_with_a_line_of_json(asked: Asked) -> None:
    client, transport = asked.client()
    client.dataReceived(b"rel")
    client.dataReceived(b"oad\nreload\n")
    asked.reactor.advance(REQUEST_SECONDS * 10)  # an answer may take long
    assert transport.value() == b""
    asked.answer.callback({"done": ["x"]})
    assert json.loads(transport.value()) == {"done": ["x"]}
    assert transport.value().endswith(b"\n")
    assert transport.disconnecting
    assert asked.count == 1


def test_what_is_no_request_is_not_done(asked: Asked) -> None:
    client, transport = asked.client()
    client.dataReceived(b"restart\xff\n")
    assert "there is no request" in json.loads(transport.value())["error"]
    assert asked.count == 0


def test_a_failure_of_the_server_is_an_answer_without_its_cause(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[str] = []
    monkeypatch.setattr(control_socket.log, "failure", failures.append)
    client, transport = asked.client()
    client.dataReceived(b"reload\n")
    asked.answer.errback(RuntimeError("secret"))
    assert json.loads(transport.value()) == {"error": "the server failed; its log says why"}
    assert failures


def test_clients_are_bounded_in_number_line_and_time(asked: Asked) -> None:
    clients = [asked.client() for _ in range(MAX_CLIENTS)]
    assert asked.connect() is None
    clients[0][0].dataReceived(b"x" * (MAX_REQUEST + 1))
    assert clients[0][1].disconnecting
    asked.reactor.advance(REQUEST_SECONDS)
    assert all(transport.disconnecting for _, transport in clients)
    for client, _ in clients:
        client.connectionLost()
    assert asked.connect() is not None


def test_the_socket_of_a_server_that_was_killed_is_replaced(tmp_path: Path) -> None:
    asked = Asked(tmp_path / "control.sock")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "control.sock"))
    asked.control.open()
    assert not (tmp_path / "control.sock").exists()  # this reactor makes none
    assert asked.reactor.unixServers[0][0] == str(tmp_path / "control.sock")


def test_a_socket_that_cannot_be_made_is_logged_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    warnings: list[dict[str, Any]] = []
    monkeypatch.setattr(control_socket.log, "warn", lambda text, **rest: warnings.append(rest))
    asked = Asked(Path("/nowhere") / ("x" * 200))
    asked.control.open()
    assert "too long" in str(warnings[0]["reason"])
    closed: list[Any] = []
    Deferred.fromCoroutine(asked.control.close()).addCallback(closed.append)
    assert closed == [None]
