"""Commands to another host and its replies, in order; every wait has its limit."""

from twisted_mail.interfaces import Clock, ConversationEnded, HostWire
from twisted_mail.mail.journey.dialogue import THEY
from twisted_mail.smtp.dialogue import endings
from twisted_mail.smtp.dialogue.endings import DialogueEnded
from twisted_mail.smtp.dialogue.recording import SpokenPart
from twisted_mail.smtp.dialogue.replies import MalformedReply, Reply, ReplyReader

LATE_SECONDS = 10.0  # for the rest of a reply that began to come before it was asked for
SMALLEST_SECONDS = 0.001  # what remains counts as none

_HIDDEN = b"(its words are not kept: they may repeat the password)"


class CommandChannel:
    """What is said to a host and what it answers.

    A limit is for a whole reply: octets that come singly do not put it off. ``deadline`` ends all
    waiting, in seconds of the clock's ``monotonic``. ``part`` notes what is said, but for what is
    written by ``write``, and the words of what comes while it ``is_secret``: from a command that holds a
    secret to the next one, or until it is set to False.
    """

    __slots__ = ("_clock", "_heard_at", "_replies", "_wire", "deadline", "is_secret", "part")

    def __init__(
        self, wire: HostWire, clock: Clock, seconds: float, part: SpokenPart | None = None
    ) -> None:
        self._wire = wire
        self._clock = clock
        self._replies = ReplyReader()
        self._heard_at = 0.0
        self.is_secret = False
        self.part = part or SpokenPart()
        self.deadline = clock.monotonic() + seconds

    def now(self) -> float:
        """Return the time, in seconds of the clock's ``monotonic``."""
        return self._clock.monotonic()

    def extend(self, seconds: float) -> None:
        """Wait for so long from now on, in all."""
        self.deadline = self._clock.monotonic() + seconds

    def write(self, data: bytes) -> None:
        """Take octets to send; they leave when a reply is waited for."""
        self._wire.write(data)

    async def ask(self, command: str, seconds: float, shown: str = "") -> Reply:
        """Send a command and return the reply; ``shown`` stands for one that holds a secret.

        Raises DialogueEnded, as ``reply`` does, also where something came that answers nothing.
        """
        await self.check_in_step(shown or command)
        self.is_secret = bool(shown)
        data = command.encode() + b"\r\n"
        self._wire.write(data)
        self.part.sent(self.now(), f"{shown} (hidden)\r\n".encode() if shown else data)
        return await self.reply(seconds, shown or command)

    async def reply(self, seconds: float, command: str) -> Reply:
        """Return the next reply, which answers ``command``.

        Raises DialogueEnded where none comes, what comes is no reply, or the host closes (421).
        """
        try:
            reply = self._replies.next() or await self._read_reply(seconds, command)
        except MalformedReply as flaw:
            words = "what is no reply" if self.is_secret else str(flaw)
            raise self._noted(endings.malformed(words, command)) from None
        except DialogueEnded as end:
            raise self._noted(end) from None
        self.part.heard(self._heard_at, Reply(reply.code, [_HIDDEN]) if self.is_secret else reply)
        if reply.code == endings.CLOSING:
            raise endings.refused(reply, command)
        return reply

    def _noted(self, end: DialogueEnded) -> DialogueEnded:
        self.part.happened(self.now(), THEY, end.outcome.text)
        return end

    async def _read_reply(self, seconds: float, command: str) -> Reply:
        now = self._clock.monotonic()
        until = min(now + seconds, self.deadline)
        while True:
            if now >= until:
                raise self._late(endings.silent(command, seconds))
            try:
                data = await self._wire.read(until - now)
            except ConversationEnded as ended:
                raise self._end(ended, endings.silent(command, seconds)) from None
            self._replies.feed(data)
            reply = self._replies.next()
            now = self._heard_at = self._clock.monotonic()
            if reply is not None:
                return reply

    @property
    def is_silent(self) -> bool:
        """Return whether all that came was read."""
        return self._replies.is_empty and not self._wire.has_unread

    async def check_in_step(self, command: str, may_refuse: bool = False) -> None:
        """Raise DialogueEnded if something came that answers no command.

        So an answer that comes twice is not taken for that to the next command, nor for one to this.
        Where it ``may_refuse`` what is going on, it is the answer to that: so what a host says before
        it closes is known.
        """
        if self.is_silent:
            return
        reply = await self.reply(LATE_SECONDS, command)
        if reply.is_negative and may_refuse:
            raise endings.refused(reply, command)
        words = f": {reply.code} {reply.text}" if reply.is_negative else ""
        raise endings.malformed(f"an answer to nothing that was said{words}", command)

    async def drain(self, seconds: float, command: str) -> None:
        """Send what was written, and wait until the host has taken most of it. Raises DialogueEnded."""
        late = endings.stalled(command, seconds)
        left = self.deadline - self._clock.monotonic()
        if left <= 0:
            raise self._late(late)
        try:
            await self._wire.drain(min(seconds, left))
        except ConversationEnded as ended:
            if (
                command != endings.END_OF_MESSAGE
            ):  # what came may be its answer, and is read as such
                await self.check_in_step(command, may_refuse=True)  # better than that it has gone
            raise self._end(ended, late) from None

    def _late(self, late: DialogueEnded) -> DialogueEnded:
        """Return the end by a time limit: the one that was reached, or that for all of it."""
        if self.deadline - self._clock.monotonic() < SMALLEST_SECONDS:
            return endings.overdue(late.command)
        return late

    def _end(self, ended: ConversationEnded, late: DialogueEnded) -> DialogueEnded:
        if ended.reason is ConversationEnded.Reason.TIMEOUT:
            return self._late(late)
        if ended.reason is ConversationEnded.Reason.SHUTDOWN:
            return endings.stopped(late.command)
        return endings.lost(late.command)
