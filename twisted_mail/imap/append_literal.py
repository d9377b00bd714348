"""The message of an APPEND on its way in: written as it comes, never held in one piece.

A message has CRLF line ends (RFC 3501 §2.3.1, RFC 5322 §2.3): an LF that stands alone becomes CRLF before
the message is kept, so size and octets of what is kept never change. What limits and quotas count is the
message that is kept.
"""

from collections.abc import Callable

from twisted_mail.imap.framing import Framer
from twisted_mail.imap.framing_events import MessageBegins, MessageEnds, MessageOctets
from twisted_mail.interfaces import BlobWriter
from twisted_mail.mail.line_ends import LfRepair
from twisted_mail.mail.outcome import MailError, Refused


class AppendLiteral:
    """Takes the framer's events about messages.

    What goes wrong, such as a full disk, is reported to the framer: the client gets it as the answer
    to its command, when all octets have come.
    """

    __slots__ = ("_framer", "_make_writer", "_repair", "_writer")

    def __init__(self, framer: Framer, make_writer: Callable[[], BlobWriter]) -> None:
        self._framer = framer
        self._make_writer = make_writer
        self._writer: BlobWriter | None = None
        self._repair = LfRepair()

    async def take(self, event: MessageBegins | MessageOctets | MessageEnds) -> None:
        """Take one event."""
        try:
            if isinstance(event, MessageBegins):
                self._begin()
            elif isinstance(event, MessageOctets):
                await self._write(event.data)
            else:
                await self._finish()
        except MailError as error:
            self.discard()
            self._framer.refuse(error)

    def _begin(self) -> None:
        self._repair = LfRepair()
        self._writer = self._make_writer()

    async def _write(self, data: bytes) -> None:
        if self._writer is None:
            return
        text = self._repair(data)
        if self._writer.size + len(text) > self._framer.limits.message:
            raise Refused("The message is too large with CRLF line ends", "TOOBIG")
        await self._writer.write(text)

    async def _finish(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            self._framer.attach(await writer.finish())

    def discard(self) -> None:
        """Forget a message that did not end."""
        if self._writer is not None:
            self._writer.discard()
            self._writer = None
