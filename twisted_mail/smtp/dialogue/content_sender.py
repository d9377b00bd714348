"""Sending the content of a message: at once if it is small, else as fast as the host takes it."""

from twisted_mail.mail.journey.dialogue import WE
from twisted_mail.mail.message import Blob, MemoryBlob
from twisted_mail.mail.outcome import MailError
from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.smtp.dialogue import content
from twisted_mail.smtp.dialogue.command_channel import CommandChannel
from twisted_mail.smtp.dialogue.endings import DialogueEnded
from twisted_mail.smtp.dialogue.fitting import FittedMessage
from twisted_mail.smtp.dialogue.round_source import UNREADABLE, DialogueDoors
from twisted_mail.smtp.dialogue.settings import DialogueLimits


class ContentSender:
    """Sends contents over one connection. Raises DialogueEnded."""

    __slots__ = ("_channel", "_doors", "_limits")

    def __init__(
        self, channel: CommandChannel, limits: DialogueLimits, doors: DialogueDoors
    ) -> None:
        self._channel = channel
        self._limits = limits
        self._doors = doors

    async def send(self, fitted: FittedMessage) -> None:
        """Send a message and its end, which leaves when its answer is waited for."""
        channel = self._channel
        await channel.check_in_step("DATA")
        channel.part.happened(channel.now(), WE, f"{fitted.size} octets of content")
        if fitted.data is not None:
            self._channel.write(content.stuffed(fitted.data))
            return
        stuffing = content.DotDoubling()
        for piece in content.in_chunks(fitted.head):
            await self._send_chunk(stuffing.feed(piece))
        for start in range(0, fitted.blob.size, content.CHUNK):
            await self._send_chunk(stuffing.feed(await self._read(fitted.blob, start)))
        self._channel.write(stuffing.end())

    async def send_nothing(self) -> None:
        """Send a lone dot: the host asks for a message that nobody gets (RFC 2920 §3.1)."""
        await self._channel.check_in_step("DATA")
        self._channel.write(content.END)
        self._channel.part.happened(self._channel.now(), WE, "a lone dot")

    async def _send_chunk(self, octets: bytes) -> None:
        self._channel.write(octets)
        await self._channel.drain(self._limits.block, "DATA")
        await self._channel.check_in_step("DATA", may_refuse=True)  # of what was sent so far

    async def _read(self, blob: Blob, start: int) -> bytes:
        """Read a chunk. A message that cannot be read must not be ended, so the connection is."""
        try:
            if isinstance(blob, MemoryBlob):
                return content.chunk(blob, start)
            return await self._doors.blocking.run(content.chunk, blob, start)
        except (OSError, MailError) as error:
            if isinstance(error, OSError):
                self._doors.report_fault("queue", error)
            raise DialogueEnded(UNREADABLE, "DATA", ReplyClass.OTHER) from None
