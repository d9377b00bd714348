"""The message of an APPEND on its way in: written as it comes, never held in one piece."""

from collections.abc import Callable

from twisted_mail.imap.events import MessageBegins, MessageEnds, MessageOctets
from twisted_mail.imap.framing import Framer
from twisted_mail.interfaces import BlobWriter
from twisted_mail.mail.outcome import MailError


class AppendLiteral:
    """Takes the framer's events about messages.

    What goes wrong, such as a full disk, is reported to the framer: the client gets it as the answer
    to its command, when all octets have come.
    """

    __slots__ = ("_framer", "_make_writer", "_writer")

    def __init__(self, framer: Framer, make_writer: Callable[[], BlobWriter]) -> None:
        self._framer = framer
        self._make_writer = make_writer
        self._writer: BlobWriter | None = None

    async def take(self, event: MessageBegins | MessageOctets | MessageEnds) -> None:
        """Take one event."""
        try:
            if isinstance(event, MessageBegins):
                self._writer = self._make_writer()
            elif isinstance(event, MessageOctets):
                await self._write(event.data)
            else:
                await self._finish()
        except MailError as error:
            self._framer.refuse(error)

    async def _write(self, data: bytes) -> None:
        if self._writer is not None:
            await self._writer.write(data)

    async def _finish(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            self._framer.attach(await writer.finish())

    def discard(self) -> None:
        """Forget a message that did not end."""
        if self._writer is not None:
            self._writer.discard()
            self._writer = None
