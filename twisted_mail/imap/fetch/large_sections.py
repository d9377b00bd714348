"""Sending the answer for a message that is too large to be in memory at once."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from twisted_mail.imap.fetch.body_sections import GROUP_OCTETS, DeferredFields, SectionExtent
from twisted_mail.interfaces import ConversationEnded, Mailbox, Wire
from twisted_mail.mail.mailbox.entry import MessageRange
from twisted_mail.mail.outcome import Refused, Unavailable

DRAIN_AFTER_OCTETS = 64 * 1024  # octets between two waits for the client


@dataclass(frozen=True, slots=True)
class LargeSectionSender:
    """Reads sections when their turn comes; ``write`` waits for the client now and then."""

    mailbox: Mailbox
    wire: Wire
    write: Callable[[bytes], Awaitable[None]]

    async def send(self, pieces: Iterable[Any]) -> None:
        """Send what an answer is made of (see ``FetchPlan.pieces``)."""
        for piece in pieces:
            match piece:
                case SectionExtent():
                    await self.write(b"{%d}\r\n" % (piece.stop - piece.start))
                    await self._stream(piece)
                case DeferredFields():
                    await self.write(piece.literal(await self._read(piece.piece)))
                case _:
                    await self.write(piece)

    async def _stream(self, extent: SectionExtent) -> None:
        """Send a literal whose size is announced already: all of it, or nothing more at all."""
        for piece in extent.pieces():
            data = await self._read(piece)
            if len(data) != min(GROUP_OCTETS, extent.stop - piece.start):
                self.wire.close()
                raise ConversationEnded(ConversationEnded.Reason.LOST)
            # Piece by piece: what the client is slow to take is held twice.
            for at in range(0, len(data), DRAIN_AFTER_OCTETS):
                await self.write(data[at : at + DRAIN_AFTER_OCTETS])

    async def _read(self, piece: MessageRange) -> bytes:
        try:
            [data] = await self.mailbox.read([piece])
        except (Refused, Unavailable):
            return b""
        return data or b""
