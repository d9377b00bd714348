"""The conversations of a listener, their number, and their end."""

import ipaddress
from dataclasses import dataclass
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory

from twisted_mail.interfaces import Journal, Peer
from twisted_mail.net.connection.conversation import Conversation, MakeSession
from twisted_mail.net.connection.fair_share import FairShare
from twisted_mail.net.connection.peer_address import host_of
from twisted_mail.net.connection.security import ListenerSecurity
from twisted_mail.net.server.connection_count import ConnectionCounter, LocalConnectionCounter
from twisted_mail.net.server.connection_limit import ConnectionLimit
from twisted_mail.store.disk.memory_budget import Budget

FAREWELL_SECONDS = 5.0  # how long open connections have to finish when the server stops


class StoppableFactory(Factory):
    """A factory that can end its connections."""

    noisy = False

    @property
    def is_idle(self) -> bool:
        """Return whether no connection is open."""
        raise NotImplementedError

    def shut_down(self) -> Deferred[None]:
        """End the open connections."""
        raise NotImplementedError


@dataclass(slots=True)
class _Place:
    """What a connection counts for: an address, or an account at an address once it has logged in."""

    host: str
    is_busy: bool
    key: str


class ConversationFactory(StoppableFactory):
    """Makes a conversation for each connection, up to a number in all and for each address.

    Those of an address are those that have not logged in; the others count for their account at this
    address, so that many people may share one. A connection beyond that, or beyond the limit on all
    listeners, is sent ``busy``, the protocol's own words for it, and closed.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        make_session: MakeSession,
        security: ListenerSecurity,
        journal: Journal,
        busy: bytes,
        connections: int,
        connections_per_address: int,
        fair_share: FairShare | None = None,
        connection_limit: ConnectionLimit | None = None,
        connection_counter: ConnectionCounter | None = None,
        connections_per_account: int = 50,
        input_budget: Budget | None = None,
    ) -> None:
        self._reactor = reactor
        self._make_session = make_session
        self._security = security
        self._journal = journal
        self._busy = busy
        self._most = connections
        self._most_per_address = connections_per_address
        self._most_per_account = connections_per_account
        self._fair_share = fair_share or FairShare(reactor)
        self._input_budget = input_budget
        self._limit = connection_limit or ConnectionLimit()
        self._open: set[Conversation] = set()
        # Without the connections that are only sent ``busy``; a counter is empty, and false, at first.
        self._counter = (
            LocalConnectionCounter() if connection_counter is None else connection_counter
        )
        self._emptied: Deferred[None] | None = None

    def buildProtocol(self, addr: IAddress | None) -> Conversation | None:  # type: ignore[override]
        """Return the conversation for a connection."""
        return self.conversation(host_of(addr))  # a UNIX socket has none

    def conversation(self, host: str, peer: Peer | None = None) -> Conversation | None:
        """Return the conversation with a host, or one that only says that the server is busy.

        ``peer`` is given where the transport does not know it. Returns None when even that is too much:
        then the connection is closed without a reply.
        """
        host = _origin(host)
        is_busy = self._is_full_for(host)
        if is_busy and self._limit.is_past_busy_limit:
            return None
        conversation = Conversation(
            self._reactor,
            self._say_busy if is_busy else self._make_session,
            self._security,
            self._journal,
            self._fair_share,
            peer,
            self._input_budget,
        )
        self._open.add(conversation)
        place = _Place(host, is_busy, host)
        self._count(place, 1)
        conversation.ended = lambda ended: self._forget(ended, place)
        conversation.count_for = lambda account: self._give(place, account)
        return conversation

    def _is_full_for(self, host: str) -> bool:
        if self._limit.is_full or self._counter.count("") >= self._most:
            return True
        return bool(host) and self._counter.count(host) >= self._most_per_address

    def _say_busy(self, wire: object) -> "_BusySession":
        return _BusySession(cast("Conversation", wire), self._busy)

    def _give(self, place: _Place, account: str) -> bool:
        """Count a connection for an account, unless that has too many."""
        key = f"{account} {place.host}"
        if self._counter.count(key) >= self._most_per_account:
            return False
        if place.key:
            self._counter.change(place.key, -1)
        self._counter.change(key, 1)
        place.key = key
        return True

    def _count(self, place: _Place, change: int) -> None:
        if place.is_busy:
            self._limit.busy += change
            return
        self._limit.serve(change)
        self._counter.change("", change)
        if place.key:  # a UNIX socket has none
            self._counter.change(place.key, change)

    def _forget(self, conversation: Conversation, place: _Place) -> None:
        self._open.discard(conversation)
        self._count(place, -1)
        if not self._open and self._emptied is not None:
            emptied, self._emptied = self._emptied, None
            emptied.callback(None)

    @property
    def is_idle(self) -> bool:
        """Return whether no connection is open."""
        return not self._open

    def shut_down(self) -> Deferred[None]:
        """Let every session send its farewell; cut off those that do not finish in time."""
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
    """Return what counts as one address: for an IPv6 host all of its /64."""
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
