"""A port that several processes accept connections from, so that each gets its share.

All of them wake up when a connection comes, and the quickest takes it: the one that is awake already. It
would end up with nearly all of the sessions that last for hours. So a process that has more than another
one rests for a moment first. If the connection is still there then, the others are busy, or gone.
"""

from select import POLLIN, poll
from typing import Any, Protocol

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

REST_SECONDS = 0.005
LEAD = 2  # connections that a process may have more than another one, and
LEAD_SHARE = 8  # one in so many of its own
_ACCEPTED = 4  # connections taken in one go: then the others are looked at again


class SharedLoad(Protocol):
    """How many connections the processes have of one port."""

    @property
    def own(self) -> int:
        """Return the number of this process."""

    @property
    def least(self) -> int:
        """Return the lowest number that any of the processes has."""


@implementer(IReadDescriptor)
class BalancedPort:
    """Accepts from ``port``, which is at work already, and listens in its place."""

    def __init__(self, reactor: Any, port: Any, load: SharedLoad) -> None:
        self._reactor = reactor
        self._port = port
        self._load = load
        self._rest: Any = None  # the call that ends it
        self._rested_at: float | None = None
        self._arrivals = poll()
        self._arrivals.register(port.fileno(), POLLIN)
        port.stopReading()
        reactor.addReader(self)

    def stopListening(self) -> Deferred[Any]:
        """Accept no more, and give the port back."""
        self._reactor.removeReader(self)
        if self._rest is not None and self._rest.active():
            self._rest.cancel()
        return maybeDeferred(self._port.stopListening)

    # ------------------------------------------------------------ what the reactor calls

    def fileno(self) -> int:
        """Return the descriptor of the port."""
        return int(self._port.fileno())

    def doRead(self) -> None:
        """Accept what has come, or rest."""
        if self._is_ahead() and not self._has_rested():
            self._reactor.removeReader(self)
            self._rest = self._reactor.callLater(REST_SECONDS, self._end_rest)
            return
        # Another process may have been quicker; Twisted learns that at more cost. Where another one has
        # shut the socket down there is an event, too, and nothing to accept.
        if any(event & POLLIN for _, event in self._arrivals.poll(0)):
            self._port.numberAccepts = _ACCEPTED
            self._port.doRead()

    def connectionLost(self, reason: Failure) -> None:
        """Pass on that the port failed."""
        self._port.connectionLost(reason)

    def logPrefix(self) -> str:
        """Return what the port calls itself in the log."""
        return str(self._port.logPrefix())

    # ------------------------------------------------------------ the others

    def _is_ahead(self) -> bool:
        own = self._load.own
        return own - own // LEAD_SHARE - LEAD > self._load.least

    def _has_rested(self) -> bool:
        rested_at = self._rested_at
        return rested_at is not None and self._reactor.seconds() - rested_at < REST_SECONDS

    def _end_rest(self) -> None:
        self._rested_at = self._reactor.seconds()
        self._reactor.addReader(self)
