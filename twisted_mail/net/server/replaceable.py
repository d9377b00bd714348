"""A factory that can be replaced while its port is open, so that new settings need no new socket."""

from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IAddress, ILoggingContext
from zope.interface import implementer

from twisted_mail.net.server.listening import StoppableFactory


@implementer(ILoggingContext)
class ReplaceableFactory(StoppableFactory):
    """Passes connections to a factory, until there is another; open ones go on with their own."""

    noisy = False  # the server tells its listeners itself

    def logPrefix(self) -> str:
        """Return what Twisted's own lines in the log call it, such as "Listener starting on 25"."""
        return "Listener"

    def __init__(self, factory: StoppableFactory) -> None:
        self.current = factory
        self._earlier: list[StoppableFactory] = []

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Return the protocol for a connection."""
        return self.current.buildProtocol(addr)

    def replace(self, factory: StoppableFactory) -> None:
        """Pass further connections to another factory."""
        self._earlier = [one for one in (*self._earlier, self.current) if not one.is_idle]
        self.current = factory

    @property
    def is_idle(self) -> bool:
        """Return whether no connection is open."""
        return all(one.is_idle for one in (*self._earlier, self.current))

    def shut_down(self) -> Deferred[Any]:
        """End the open connections, whichever factory they have."""
        ends = [one.shut_down() for one in (*self._earlier, self.current)]
        return DeferredList(ends, consumeErrors=True)
