"""Where answers leave: grouped, at once when the socket takes them, held back when it does not.

A write through the reactor costs a second round of its loop. When nothing is waiting to be sent,
sending on the socket at once takes a third off the cost of a small request.
"""

from twisted.internet.interfaces import ITransport
from twisted.internet.tcp import Connection


class TransportOutlet:
    """The writing half of a connection. Bytes leave together at ``flush``."""

    __slots__ = ("_pending", "_transport")

    def __init__(self, transport: ITransport) -> None:
        self._transport = transport
        self._pending: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Take bytes to send."""
        self._pending.append(data)

    def forget(self) -> None:
        """Drop what was not sent."""
        self._pending.clear()

    def flush(self) -> None:
        """Send what was taken."""
        if not self._pending:
            return
        data = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
        self._pending.clear()
        rest = self._send_at_once(data)
        if rest:
            self._transport.write(rest)

    def _send_at_once(self, data: bytes) -> bytes:
        """Send on the bare socket what it takes, and return the rest."""
        transport = self._transport
        if not isinstance(transport, Connection) or transport.TLS or transport.disconnecting:
            return data
        if transport.dataBuffer or transport._tempDataBuffer:
            return data  # earlier bytes are still waiting, and order is everything
        sent = transport.writeSomeData(data)
        # An exception in place of a number: the reactor finds the broken socket by itself.
        return data[sent:] if isinstance(sent, int) else data
