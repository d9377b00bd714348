"""Listeners: endpoints that accept connections, and the conversations that came of them."""

import ipaddress
from collections.abc import Callable
from typing import Any, cast

from twisted.internet import tcp
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IReactorTime,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from twisted_mail.interfaces import Journal, Peer
from twisted_mail.net.server.connection_count import ConnectionCounter, LocalConnectionCounter
from twisted_mail.net.server.connection_limit import ConnectionLimit
from twisted_mail.net.server.conversation import Conversation, MakeSession
from twisted_mail.net.server.fair_share import FairShare
from twisted_mail.net.server.security import ListenerSecurity

FAREWELL_SECONDS = 5.0  # how long open connections have to finish when the server stops


class StoppableFactory(Factory):
    """A factory that can end what came of it."""

    noisy = False

    def shut_down(self) -> Deferred[None]:
        """End the open connections."""
        raise NotImplementedError


class ConversationFactory(StoppableFactory):
    """Makes a conversation for each connection, up to a number in all and for each address.

    A connection beyond that, or beyond what the crowd of all listeners may be, is sent ``busy``, the
    protocol's own words for it, and closed.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        make_session: MakeSession,
        terms: ListenerSecurity,
        journal: Journal,
        busy: bytes,
        connections: int,
        connections_per_address: int,
        fair_share: FairShare | None = None,
        connection_limit: ConnectionLimit | None = None,
        connection_counter: ConnectionCounter | None = None,
    ) -> None:
        self._reactor = reactor
        self._make_session = make_session
        self._terms = terms
        self._journal = journal
        self._busy = busy
        self._most = connections
        self._most_per_address = connections_per_address
        self._turns = fair_share or FairShare(reactor)
        self._crowd = connection_limit or ConnectionLimit()
        self._open: set[Conversation] = set()
        self._tally = (
            connection_counter if connection_counter is not None else LocalConnectionCounter()
        )  # without those we are too busy for
        self._emptied: Deferred[None] | None = None

    def buildProtocol(self, addr: IAddress | None) -> Conversation | None:  # type: ignore[override]
        """Return the conversation for a connection."""
        return self.conversation(getattr(addr, "host", ""))  # a UNIX socket has none

    def conversation(self, host: str, peer: Peer | None = None) -> Conversation | None:
        """Return the conversation with a host, or one that only says that we are busy.

        ``peer`` is given where it is not the transport that knows it. None when even that is too much:
        the connection is closed without a word.
        """
        host = _origin(host)
        is_busy = self._is_full_for(host)
        if is_busy and self._crowd.is_past_busy_limit:
            return None
        conversation = Conversation(
            self._reactor,
            self._say_busy if is_busy else self._make_session,
            self._terms,
            self._journal,
            self._turns,
            peer,
        )
        self._open.add(conversation)
        self._count(host, is_busy, 1)
        conversation.ended = lambda ended: self._forget(ended, host, is_busy)
        return conversation

    def _is_full_for(self, host: str) -> bool:
        if self._crowd.is_full or self._tally.count("") >= self._most:
            return True
        return bool(host) and self._tally.count(host) >= self._most_per_address

    def _say_busy(self, wire: object) -> "_BusySession":
        return _BusySession(cast("Conversation", wire), self._busy)

    def _count(self, host: str, is_busy: bool, change: int) -> None:
        if is_busy:
            self._crowd.busy += change
            return
        self._crowd.serve(change)
        self._tally.change("", change)
        if host:  # a UNIX socket has none
            self._tally.change(host, change)

    def _forget(self, conversation: Conversation, host: str, is_busy: bool) -> None:
        self._open.discard(conversation)
        self._count(host, is_busy, -1)
        if not self._open and self._emptied is not None:
            emptied, self._emptied = self._emptied, None
            emptied.callback(None)

    def shut_down(self) -> Deferred[None]:
        """Let every session say farewell; cut off those that do not finish in time."""
        if not self._open:
            done: Deferred[None] = Deferred()
            done.callback(None)
            return done
        emptied = self._emptied = Deferred()
        for conversation in list(self._open):
            conversation.shut_down()
        late = self._reactor.callLater(FAREWELL_SECONDS, self._cut_off)
        emptied.addCallback(lambda _: late.cancel() if late.active() else None)
        return emptied

    def _cut_off(self) -> None:
        for conversation in list(self._open):
            conversation.abort()


def _origin(host: str) -> str:
    """Return what counts as one address: all of the /64 that an IPv6 host commands."""
    if ":" not in host:
        return host
    address = ipaddress.IPv6Address(host.partition("%")[0])
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, 64), strict=False))


class _BusySession:
    """A session that says one line and is over."""

    __slots__ = ("_line", "_wire")

    def __init__(self, wire: Conversation, line: bytes) -> None:
        self._wire = wire
        self._line = line

    async def run(self) -> None:
        self._wire.write(self._line)


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
        """Begin to accept; tell ``failed`` why not, in words for an administrator."""
        self._endpoint.listen(self._factory).addCallbacks(
            self._listening, lambda failure: failed(self, _reason(failure))
        )

    def _listening(self, port: IListeningPort) -> None:
        self._port = port

    @property
    def socket(self) -> tuple[int, int] | None:
        """Return descriptor and address family of a socket that others may accept from, too.

        None where there is none, or connections pass through something else than our factory.
        """
        port: Any = self._port
        if type(port) is not tcp.Port or port.factory is not self._factory:
            return None
        return port.fileno(), port.addressFamily  # type: ignore[no-untyped-call]

    def pause(self) -> None:
        """Accept no connections for now: others do, by ``socket``. Those that are open go on."""
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
