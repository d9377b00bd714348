"""The control socket: how commands on this host ask the running server for something.

A client sends one line, the name of a request, and gets one line of JSON. The socket is in the state
folder and belongs to the server's user, so nobody else but root can use it.
"""

import json
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver
from twisted.protocols.policies import TimeoutMixin

MAX_CLIENTS = 8
MAX_REQUEST = 256  # octets of a line
REQUEST_SECONDS = 10.0  # in which it has to come

Request = Callable[[], Awaitable[Mapping[str, Any]]]
log = Logger(namespace="twisted_mail")


class ControlSocket(Factory):
    """Answers requests, each by the function of its name."""

    noisy = False

    def __init__(self, reactor: Any, path: Path, requests: Mapping[str, Request]) -> None:
        self.requests = requests
        self.clients: set[ControlProtocol] = set()
        self._reactor = reactor
        self._path = path
        self._port: Any = None

    def open(self) -> None:
        """Begin to listen. If that is impossible, the log says so: the server does without."""
        try:
            _remove_stale(self._path)
            self._port = self._reactor.listenUNIX(str(self._path), self, mode=0o600)
        except (OSError, CannotListenError) as error:
            log.warn(
                "no control socket at {path}, so `twisted-mail reload` cannot be answered: {reason}",
                path=str(self._path),
                reason=getattr(error, "socketError", error),
            )

    async def close(self) -> None:
        """End the open connections, and remove the socket."""
        for client in list(self.clients):
            client.transport.abortConnection()
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)

    def buildProtocol(self, addr: Any) -> "ControlProtocol | None":
        """Return the protocol of a client; None if there are too many."""
        return ControlProtocol(self) if len(self.clients) < MAX_CLIENTS else None


class ControlProtocol(LineOnlyReceiver, TimeoutMixin):
    """One client, with one request."""

    delimiter = b"\n"
    MAX_LENGTH = MAX_REQUEST
    transport: Any

    def __init__(self, control: ControlSocket) -> None:
        self._control = control
        self._is_asked = False

    def connectionMade(self) -> None:
        """Wait for the request."""
        self._control.clients.add(self)
        self.setTimeout(REQUEST_SECONDS)  # type: ignore[no-untyped-call]

    def lineReceived(self, line: bytes) -> None:
        """Answer the request; further lines are ignored."""
        if not self._is_asked:
            self._is_asked = True
            self.setTimeout(None)  # type: ignore[no-untyped-call]
            Deferred.fromCoroutine(self._answer(line.decode("ascii", "replace")))

    async def _answer(self, name: str) -> None:
        request = self._control.requests.get(name)
        answer: Mapping[str, Any] = {"error": f"there is no request {name!r}"}
        try:
            if request is not None:
                answer = await request()
        except Exception:
            log.failure("a request of the control socket failed")
            answer = {"error": "the server failed; its log says why"}
        self.transport.write(json.dumps(answer).encode() + b"\n")
        self.transport.loseConnection()

    def connectionLost(self, reason: Any = None) -> None:
        """Forget the client."""
        self.setTimeout(None)  # type: ignore[no-untyped-call]
        self._control.clients.discard(self)


def _remove_stale(path: Path) -> None:
    """Remove the socket of a server that is gone. Raises OSError if somebody still listens there."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            with suppress(FileNotFoundError):
                os.unlink(path)
        except FileNotFoundError:
            pass
