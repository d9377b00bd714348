"""A bridge between two processes of one server: calls over a socket, in both directions.

A call names a service, which is an object of the other side, one of its methods, and arguments. ``call``
waits for what the method returns or raises; ``notify`` does not. Calls arrive in the order in which they
were made; answers come as they are ready.

Calls and answers are pickled. Both ends are this very program, run by the same user, and nobody else has
the socket: a program that could write to it could as well write to the process.
"""

import itertools
import os
import pickle
import socket
from collections import deque
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IFileDescriptorReceiver
from twisted.internet.protocol import Factory
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_mail.interfaces import Journal
from twisted_mail.mail.outcome import MailError, Outcome, ProtocolError, Refused, Unavailable

MAX_CALL_SIZE = 16 * 1024 * 1024  # octets of one call; what is larger goes through a file
_KINDS = {kind.__name__: kind for kind in (MailError, ProtocolError, Refused, Unavailable)}
_GONE = "Another process of the server ended; try again later"
_BROKEN = "Another process of the server failed; try again later"
_TROUBLE = Unavailable.__name__, Unavailable(_BROKEN).outcome, "UNAVAILABLE"


def attach(reactor: Any, end: socket.socket, bridge: "Bridge") -> None:
    """Give a bridge its end of a pair of sockets; the caller closes its own descriptor of it."""
    end.setblocking(False)
    factory: Any = Factory.forProtocol(lambda: bridge)
    factory.noisy = False  # in the log
    reactor.adoptStreamConnection(end.fileno(), socket.AF_UNIX, factory)


@implementer(IFileDescriptorReceiver)
class Bridge(Int32StringReceiver):
    """One end; ``services`` are what the other side may call, by name.

    ``ended`` fires when the other side is gone, and all that it sent has been handled. ``descriptors``
    are those that came with calls so far, for the services to take, which own them from then on.
    """

    MAX_LENGTH = MAX_CALL_SIZE

    def __init__(self, services: Mapping[str, object], journal: Journal) -> None:
        self.services = dict(services)
        self._journal = journal
        self.ended: Deferred[None] = Deferred()
        self._numbers = itertools.count(1)
        self._asked: dict[int, Deferred[Any]] = {}
        self._is_lost = False
        self.descriptors: deque[int] = deque()

    async def call_with(self, descriptors: Sequence[int], *call: Any) -> Any:
        """Call as ``call`` does; the other side finds copies of the descriptors in ``descriptors``."""
        copies = [os.dup(descriptor) for descriptor in descriptors]
        try:
            transport: Any = self.transport
            if not self._is_lost:
                for copy in copies:  # they go with the octets of the call
                    transport.sendFileDescriptor(copy)
            return await self.call(*call)
        finally:
            for copy in copies:
                os.close(copy)

    async def call(self, service: str, method: str, *args: Any) -> Any:
        """Call a method of the other side; return or raise what it does.

        Raises Unavailable when it fails by a bug, which the other side logs, and when the other side is
        gone or ends meanwhile.
        """
        if self._is_lost:
            raise Unavailable(_GONE)
        number = next(self._numbers)
        if not self._send(number, service, method, args):
            raise Unavailable(_BROKEN)
        answer = self._asked[number] = Deferred[Any]()
        return await answer

    def notify(self, service: str, method: str, *args: Any) -> None:
        """Call a method of the other side without waiting; when it is gone, do nothing."""
        if not self._is_lost:
            self._send(0, service, method, args)

    def _send(self, *message: object) -> bool:
        """Send a call or an answer; return whether it could be sent. If not, the reason is logged."""
        try:
            data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        except Exception:
            self._journal.failed("bridge")
            return False
        if len(data) > MAX_CALL_SIZE:
            self._journal.warned("bridge", f"{len(data)} octets are too many for one call")
            return False
        self.sendString(data)  # type: ignore[no-untyped-call]
        return True

    def close(self) -> Deferred[None]:
        """Send what was written, then end the bridge; the Deferred fires when it has ended."""
        transport: Any = self.transport
        if not self._is_lost and transport is not None:
            transport.loseConnection()
        return self.ended

    # ------------------------------------------------------------ what Twisted calls

    def stringReceived(self, string: bytes) -> None:
        """Handle a call or an answer."""
        number, *rest = pickle.loads(string)  # our own, see the beginning of this file
        if len(rest) == 2:
            self._answered(number, *rest)
        else:
            Deferred.fromCoroutine(self._serve(number, *rest))

    def fileDescriptorReceived(self, descriptor: int) -> None:
        """Keep a descriptor for the call that it came with."""
        self.descriptors.append(descriptor)

    def lengthLimitExceeded(self, length: int) -> None:
        """End the bridge: the other side never sends a call of that length."""
        self._journal.warned("bridge", f"a call of {length} octets is too long")
        transport: Any = self.transport
        transport.abortConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Fail all calls that wait for an answer."""
        self._is_lost = True
        asked, self._asked = self._asked, {}
        for answer in asked.values():
            answer.errback(Unavailable(_GONE))
        self.ended.callback(None)

    # ------------------------------------------------------------ calls and answers

    def _answered(self, number: int, error: tuple[str, Outcome, str] | None, value: Any) -> None:
        answer = self._asked.pop(number)
        if error is None:
            answer.callback(value)
        else:
            kind, outcome, condition = error
            answer.errback(_KINDS[kind](outcome, condition))

    async def _serve(self, number: int, service: str, method: str, args: tuple[Any, ...]) -> None:
        error: tuple[str, Outcome, str] | None = None
        value = None
        try:
            value = getattr(self.services[service], method)(*args)
            if isinstance(value, Awaitable):
                value = await value
        except MailError as caught:
            error = type(caught).__name__, caught.outcome, caught.condition
        except Exception:
            self._journal.failed(f"service {service}")
            error = _TROUBLE
        if number and not self._is_lost and not self._send(number, error, None if error else value):
            self._send(number, _TROUBLE, None)
