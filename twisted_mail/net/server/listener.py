"""Listeners: endpoints that accept connections."""

import errno
import os
from typing import Any, cast

from twisted.internet import tcp
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort, IStreamServerEndpoint

from twisted_mail.net.server.listening import StoppableFactory
from twisted_mail.net.server.replaceable import ReplaceableFactory


class CannotListen(Exception):
    """A listener cannot accept connections; the text names it, and says why."""


class Listener:
    """One endpoint with its factory.

    ``number`` is the listener's as long as the server runs, whatever the order in the configuration.
    """

    def __init__(
        self,
        number: int,
        description: str,
        endpoint: IStreamServerEndpoint,
        factory: StoppableFactory,
    ) -> None:
        self.number = number
        self.description = description
        self._endpoint = endpoint
        self._factory = ReplaceableFactory(factory)
        self._port: IListeningPort | None = None

    @property
    def address(self) -> IAddress | None:
        """Return where it listens, while it does."""
        return None if self._port is None else self._port.getHost()

    @property
    def path(self) -> str:
        """Return the path of its UNIX socket; empty if it has none."""
        name = getattr(self.address, "name", None) or b""
        path = os.fsdecode(name)
        return "" if path.startswith("\0") else path

    @property
    def factory(self) -> StoppableFactory:
        """Return what new connections get."""
        return self._factory.current

    @property
    def is_idle(self) -> bool:
        """Return whether no connection is open."""
        return self._factory.is_idle

    async def listen(self) -> None:
        """Start accepting. Raises CannotListen."""
        try:
            self._port = await self._endpoint.listen(self._factory)
        except Exception as error:  # whatever the endpoint of a plugin raises
            raise CannotListen(f"cannot listen: {self.description}: {_reason(error)}") from error

    def serve(self, description: str, factory: StoppableFactory) -> None:
        """Let another factory take the connections from now on; open ones go on."""
        self.description = description
        self._factory.replace(factory)

    @property
    def socket(self) -> tuple[int, int] | None:
        """Return descriptor and address family of a socket that other processes may accept from, too.

        None where there is none, or where another factory wraps ours.
        """
        port: Any = self._port
        if type(port) is not tcp.Port or port.factory is not self._factory:
            return None
        return port.fileno(), port.addressFamily  # type: ignore[no-untyped-call]

    def pause(self) -> None:
        """Accept no connections for now: others do, through ``socket``. Open ones go on."""
        port: Any = self._port
        port.stopReading()

    def resume(self) -> None:
        """Accept connections again."""
        port: Any = self._port
        port.startReading()

    async def close(self) -> None:
        """Accept no more, and give the port back; open connections go on."""
        port, self._port = self._port, None
        if port is not None:
            await maybeDeferred(port.stopListening)

    def stop(self) -> Deferred[object]:
        """Accept no more, and end the open conversations.

        Other processes that have ``socket`` may accept until they stop, too.
        """
        if self.socket is not None:
            # shutdown(2) would reach them, and what they are about to accept would fail with EINVAL.
            cast("Any", self._port)._shouldShutdown = False
        waiting: list[Deferred[None]] = [
            self._factory.shut_down(),
            Deferred.fromCoroutine(self.close()),
        ]
        return cast("Deferred[object]", DeferredList(waiting, consumeErrors=True))


def _reason(error: Exception) -> str:
    if isinstance(error, CannotListenError) and isinstance(error.socketError, OSError):
        if error.socketError.errno == errno.EACCES and isinstance(error.port, int):
            return "Permission denied: ports below 1024 need root or CAP_NET_BIND_SERVICE"
        return error.socketError.strerror or str(error.socketError)
    return str(error) or type(error).__name__
