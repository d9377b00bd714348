"""The one server protocol: a connection, a session, and strict order between them.

The session is a coroutine that reads, thinks and writes. While it thinks, nothing else on this
connection happens, so answers leave in the order of the commands, whatever each had to wait for.
What keeps a hostile peer from costing more than its share is here, once for all protocols:

* input: the transport is paused while more than ``READ_AHEAD`` octets wait to be read, and what clients
  without a login make us hold comes out of one budget (``held_input``);
* output: a session that writes much waits in ``drain`` until the peer has taken it, and a peer that
  takes nothing for ``STALL_SECONDS`` is cut off;
* work: ``yield_to_others`` gives way after ``fair_share.SLICE_SECONDS``, and sooner where many work;
* silence: every ``read`` has a time limit, and so has a TLS handshake, whatever the session does;
* STARTTLS: ``has_unread`` shows bytes that came in clear, which are never read as encrypted ones.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IHandshakeListener,
    IProtocol,
    IReactorTime,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_mail.interfaces import ConversationEnded, Journal, Peer, Session, Wire
from twisted_mail.net.connection.fair_share import FairShare
from twisted_mail.net.connection.read_buffer import SMALL_READ
from twisted_mail.net.connection.security import ListenerSecurity
from twisted_mail.net.connection.wire import ConnectionWire, Reason
from twisted_mail.store.disk.memory_budget import Budget

MakeSession = Callable[[Wire], Session]


@implementer(IProtocol, IHalfCloseableProtocol, IHandshakeListener)
class Conversation(ConnectionWire):
    """One connection: what Twisted and the service call of it. Its session calls the wire.

    Not a subclass of ``twisted.internet.protocol.Protocol``, which would give every idle connection a
    dictionary of its own.
    """

    __slots__ = ("_journal", "_make_session", "ended")

    def __init__(
        self,
        reactor: IReactorTime,
        make_session: MakeSession,
        listener: ListenerSecurity,
        journal: Journal,
        fair_share: FairShare | None = None,
        peer: Peer | None = None,
        input_budget: Budget | None = None,
    ) -> None:
        super().__init__(reactor, listener, fair_share, peer, input_budget)
        self.ended: Callable[[Conversation], None] | None = None
        self._make_session = make_session
        self._journal = journal

    def makeConnection(self, transport: Any) -> None:
        """Take the transport and begin the session."""
        self.connect(transport)
        self.connectionMade()

    def connectionMade(self) -> None:
        """Begin the session."""
        self.transport.registerProducer(self._outlet, True)
        if self._listener.is_implicit:
            self._start_tls()
        self.woke_at = self._reactor.seconds()
        self._session.begin(self._make_session(self).run(), self._session_ended)

    def dataReceived(self, data: bytes) -> None:
        """Hand the bytes to the session, or keep them until it reads."""
        buffer = self._buffer
        if len(data) >= SMALL_READ or buffer.reads_much:
            buffer.fit_reads(len(data))
        if self._session.is_waiting:
            self._session.give(data)
        else:
            buffer.add(data)
            if self._held_input is not None:
                self._held_input.queue()

    def handshakeCompleted(self) -> None:
        """Note that TLS is on."""
        self._security.handshake_completed()

    def readConnectionLost(self) -> None:
        """Note that the peer will send no more; it may still want the answers."""
        self._end(Reason.LOST)

    def writeConnectionLost(self) -> None:
        """Note that the peer will take no more."""
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """End the session at its next read or write."""
        self._closed = True
        self._unsent.clear()
        self._limit.end()
        self._end(Reason.LOST)
        self._outlet.close()
        self._forget_held_input()
        self._security.connection_lost()
        if self.ended is not None:
            self.ended(self)

    def shut_down(self) -> None:
        """Let the session say farewell at its next read."""
        self._end(Reason.SHUTDOWN)

    def abort(self) -> None:
        """Cut the connection off now."""
        self.transport.abortConnection()

    def _session_ended(self, error: BaseException | None) -> None:
        if error is not None and not isinstance(error, ConversationEnded):
            self._journal.failed("conversation")
        self.close()
