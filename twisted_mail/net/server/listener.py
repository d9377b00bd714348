"""Listeners: endpoints that accept connections."""

from collections.abc import Callable
from typing import Any, cast

from twisted.internet import tcp
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort, IStreamServerEndpoint
from twisted.python.failure import Failure

from twisted_mail.net.server.listening import StoppableFactory


class Listener:
    """One endpoint with its factory."""

    def __init__(
        self, description: str, endpoint: IStreamServerEndpoint, factory: StoppableFactory
    ) -> None:
        self.description = description
        self._endpoint = endpoint
        self._factory = factory
        self._port: IListeningPort | None = None

    @property
    def address(self) -> IAddress | None:
        """Return where it listens, once it does."""
        return None if self._port is None else self._port.getHost()

    def listen(self, failed: Callable[["Listener", str], None]) -> None:
        """Start accepting; if that fails, call ``failed`` with the reason, for the administrator."""
        self._endpoint.listen(self._factory).addCallbacks(
            self._listening, lambda failure: failed(self, _reason(failure))
        )

    def _listening(self, port: IListeningPort) -> None:
        self._port = port

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

    def stop(self) -> Deferred[object]:
        """Accept no more, and end the open conversations."""
        waiting: list[Deferred[None]] = [self._factory.shut_down()]
        if self._port is not None:
            stopped = self._port.stopListening()
            if stopped is not None:
                waiting.append(stopped)
        return cast("Deferred[object]", DeferredList(waiting, consumeErrors=True))


def _reason(failure: Failure) -> str:
    error = failure.value
    if isinstance(error, CannotListenError) and isinstance(error.socketError, OSError):
        return error.socketError.strerror or str(error.socketError)
    return failure.getErrorMessage()
