"""Bytes that have come and wait to be read: how many may wait, and how many come at a time."""

from typing import Any

READ_AHEAD = 64 * 1024  # octets that may wait before the transport is paused
SMALL_READ = 64 * 1024  # what the transport reads at a time, as long as no peer sends more
MAX_READ = 256 * 1024  # octets that are read at a time from a peer that sends much
OWN_INPUT = 16 * 1024  # octets that may wait, and are read at a time, where memory is scarce


class ReadBuffer:
    """The input of one connection that its session has not read yet, as ``data``.

    It is narrow while memory is scarce: then less is read at a time, and less waits.
    """

    __slots__ = ("_is_paused", "_transport", "data", "is_narrow", "reads_much")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._is_paused = False  # the transport was asked to read no more for now
        self.data = b""
        self.reads_much = self.is_narrow = False

    def add(self, data: bytes) -> None:
        """Keep bytes until they are taken, and pause the transport when that is enough."""
        self.data += data
        if len(self.data) >= READ_AHEAD:
            self._pause()

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._transport.pauseProducing()

    def narrow(self, is_narrow: bool) -> None:
        """Read little for now, and no more before the rest is taken; or as much as usual again."""
        if is_narrow and len(self.data) >= OWN_INPUT:
            self._pause()
        if is_narrow != self.is_narrow:
            self.is_narrow, self.reads_much = is_narrow, False
            self._transport.bufferSize = OWN_INPUT if is_narrow else SMALL_READ

    def take(self) -> bytes:
        """Return all that waits, and let the transport go on."""
        data, self.data = self.data, b""
        if self._is_paused:
            self._is_paused = False
            self._transport.resumeProducing()
        return data

    def fit_reads(self, size: int) -> None:
        """Have the transport read more at a time while much is on its way, and then as before.

        ``size`` is that of the last read.
        """
        transport = self._transport
        if self.is_narrow:
            return
        if size == getattr(transport, "bufferSize", 0):
            transport.bufferSize = min(size * 2, MAX_READ)
            self.reads_much = True
        elif self.reads_much and size < SMALL_READ:
            transport.bufferSize = SMALL_READ
            self.reads_much = False
