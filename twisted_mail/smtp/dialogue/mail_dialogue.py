"""Handing messages on over a connection that is open for mail (RFC 5321 §3.3, RFC 2920, RFC 2033).

With PIPELINING the envelope leaves as one group, and the envelope of the next message right behind
the end of the one before, so that a message costs one round trip (RFC 2920 §3.1 allows it by name).
Replies are read one by one in the order of the commands, each of them, whatever they say:

* 354 although no recipient was accepted is answered by a lone dot;
* a recipient who is one too many goes in the next round, at once;
* what does not fit its command, or answers none, ends the connection: who is out of step by one reply
  would take somebody's refusal for somebody else's 250. No message is sent but after its own 354;
* nor is a permanent refusal believed that may be another recipient's, unless 354 has shown that both
  sides are in step, or else 221: where there is no 354, QUIT is said.

A round that has not been answered when the connection ends is left as it was.
"""

from contextlib import suppress

from twisted_mail.smtp.dialogue import endings
from twisted_mail.smtp.dialogue.attempts import AttemptRecorder
from twisted_mail.smtp.dialogue.capabilities import Capabilities
from twisted_mail.smtp.dialogue.command_channel import LATE_SECONDS, CommandChannel
from twisted_mail.smtp.dialogue.content_sender import ContentSender
from twisted_mail.smtp.dialogue.endings import END_OF_MESSAGE, DialogueEnded
from twisted_mail.smtp.dialogue.fitting import MessageFitter
from twisted_mail.smtp.dialogue.mail_round import MailRound
from twisted_mail.smtp.dialogue.message_supply import MessageSupply
from twisted_mail.smtp.dialogue.replies import Reply
from twisted_mail.smtp.dialogue.round_source import DialogueDoors, RoundSource
from twisted_mail.smtp.dialogue.settings import ClientSettings

SEND_IT = 354
GOODBYE = 221

_NO_COMMAND = "an answer that fits no command"


class MailDialogue:
    """The part of one dialogue in which mail is handed on."""

    __slots__ = (
        *("_channel", "_clock", "_following", "_has_pipelining", "_limits", "_present"),
        *("_recorder", "_sender", "_settings", "_source", "_work"),
    )

    def __init__(
        self,
        channel: CommandChannel,
        offered: Capabilities,
        settings: ClientSettings,
        recorder: AttemptRecorder,
        fitter: MessageFitter,
        doors: DialogueDoors,
    ) -> None:
        self._channel = channel
        self._clock = doors.clock
        self._settings = settings
        self._limits = settings.limits
        self._recorder = recorder
        self._has_pipelining = offered.has_pipelining
        self._source = RoundSource(channel, offered, settings.limits, recorder, fitter, doors)
        self._sender = ContentSender(channel, settings.limits, doors)
        self._present: MailRound | None = None
        self._following: MailRound | None = None

    @property
    def rounds(self) -> int:
        """Return how many rounds were begun."""
        return self._source.rounds

    @property
    def may_go_on(self) -> bool:
        """Return whether the connection is good for one more round."""
        return self._source.may_go_on

    @property
    def has_quit(self) -> bool:
        """Return whether QUIT was said."""
        return self._source.has_quit

    async def hand_on(self, work: MessageSupply) -> None:
        """Hand on what there is, and wait for more; return when there is none, or enough was done.

        Raises DialogueEnded, after ``work.done`` for what was under way.
        """
        self._work = work
        try:
            while (first := await self._source.first(work)) is not None:
                self._present = first
                while self._present is not None:
                    await self._hand_on(self._present)
                    self._present, self._following = self._following, None
        except DialogueEnded as end:
            self._give_up(end)
            raise
        finally:
            self._close()

    async def _hand_on(self, present: MailRound) -> None:
        """Hand one round on; begin the one that follows behind its content."""
        self._channel.part = present.part
        self._channel.extend(self._seconds(present))
        says = self._read_envelope if self._has_pipelining else self._say_envelope
        if await says(present):
            present.phases["envelope"] = self._clock.monotonic() - present.began
            await self._send_content(present)
            if self._has_pipelining:
                await self._follow(present)
            await self._read_end(present)
            took = self._clock.monotonic() - present.began
            present.phases["content"] = took - present.phases["envelope"]
        elif present.needs_proof:
            await self._prove()
        self._done(present)
        if self._following is None and present.left:
            self._following = await self._source.following(self._work, present)
        if self._following is None or self._following.fitted is not present.fitted:
            present.fitted.close()

    async def _follow(self, present: MailRound) -> None:
        """Begin the next round behind the content; if the host has gone, its answer may be there."""
        try:
            self._following = await self._source.following(self._work, present)
        except DialogueEnded:
            with suppress(DialogueEnded):
                await self._read_end(present)
            raise

    async def _prove(self) -> None:
        """Make sure that the answers belong to their commands. Raises DialogueEnded.

        An answer that came twice is followed by one that is left over, and none of those is 221. A host
        that goes without a word has left none over, either.
        """
        self._source.has_quit = True
        reply = await self._channel.ask("QUIT", LATE_SECONDS)
        if reply.code != GOODBYE:
            raise endings.malformed(_NO_COMMAND, "QUIT")

    def _seconds(self, present: MailRound) -> float:
        """Return how long a round may take, whatever the host does."""
        return self._limits.message + present.fitted.size / self._limits.slowest

    # ------------------------------------------------------------ the envelope

    async def _read_envelope(self, present: MailRound) -> bool:
        """Read the answers to a group, all of them; return whether the content is asked for."""
        channel, limits = self._channel, self._limits
        if present.has_reset:
            _granted(await channel.reply(limits.mail, "RSET"), "RSET")
        mail = _final(await channel.reply(limits.mail, present.mail), present.mail)
        present.has_answer = True
        for recipient, command in present.offered:
            reply = _final(await channel.reply(limits.recipient, command), command)
            if mail.is_success:
                present.answer_recipient(recipient, command, reply)
            elif reply.is_success:  # of a message that was refused
                raise endings.malformed(_NO_COMMAND, command)
        if mail.is_negative:
            present.refuse_all(mail, present.mail)
        data = await channel.reply(limits.data, "DATA")
        return self._is_asked_for(present, data, mail.is_success)

    async def _say_envelope(self, present: MailRound) -> bool:
        """Say the envelope step by step; return whether the content is asked for."""
        channel, limits = self._channel, self._limits
        if present.has_reset:
            _granted(await channel.ask("RSET", limits.mail), "RSET")
        mail = _final(await channel.ask(present.mail, limits.mail), present.mail)
        present.has_answer = True
        if mail.is_negative:
            present.refuse_all(mail, present.mail)
            return False
        await self._say_recipients(present)
        if not present.accepted:
            self._source.needs_reset = True
            return False
        data = await channel.ask("DATA", limits.data)
        return self._is_asked_for(present, data, is_open=True)

    async def _say_recipients(self, present: MailRound) -> None:
        """Say the recipients one by one; those after one that is too many come in the next round."""
        for at, (recipient, command) in enumerate(present.offered, 1):
            reply = await self._channel.ask(command, self._limits.recipient)
            present.answer_recipient(recipient, command, _final(reply, command))
            if present.limit:
                present.left += [one for one, _ in present.offered[at:]]
                return

    def _is_asked_for(self, present: MailRound, data: Reply, is_open: bool) -> bool:
        """Return whether the answer to DATA asks for the content; note a refusal.

        A transaction that ``is_open`` then has to be reset.
        """
        if data.code == SEND_IT:
            present.is_proven = True
            if not present.accepted and self._settings.is_lmtp:  # it would answer for nobody
                flaw = "354 for a message without recipients"
                raise endings.malformed(flaw, "DATA", is_out_of_step=False)
            return True
        if not data.is_negative:
            raise endings.malformed(_NO_COMMAND, "DATA")
        if not self._channel.is_silent:  # then this was perhaps the answer to RCPT
            raise endings.malformed("more answers than it was asked for", "DATA")
        if present.accepted:
            present.refuse_all(data, "DATA")
        self._source.needs_reset = is_open
        return False

    # ------------------------------------------------------------ the content

    async def _send_content(self, present: MailRound) -> None:
        if present.accepted:
            await self._sender.send(present.fitted)
        else:
            await self._sender.send_nothing()

    async def _read_end(self, present: MailRound) -> None:
        """Read the answer to the content; in LMTP one for each recipient (RFC 2033 §4.2)."""
        accepted = present.accepted
        answered = [(one,) for one in accepted] if self._settings.is_lmtp else [accepted]
        for recipients in answered:
            reply = await self._channel.reply(self._limits.end, END_OF_MESSAGE)
            present.answer_content(recipients, _final(reply, END_OF_MESSAGE), END_OF_MESSAGE)

    # ------------------------------------------------------------ the end

    def _give_up(self, end: DialogueEnded) -> None:
        """Note the end for the round that is under way, unless nobody has answered it.

        The first round of a connection counts as answered: it may be what ends it.
        """
        present = self._present
        if present is None or end.is_stopped or not (present.has_answer or present.use == 1):
            return
        present.give_up(end)
        self._done(present)

    def _done(self, present: MailRound) -> None:
        """Note how a round ended, and have what was said kept if anybody refers to it."""
        self._work.done(present.transaction, present.attempts)
        self._recorder.keep_dialogue(present.use, present.part, present.transaction.job.id)

    def _close(self) -> None:
        for one in (self._present, self._following):
            if one is not None:
                one.fitted.close()
        self._present = self._following = None


def _final(reply: Reply, command: str) -> Reply:
    """Return a reply that grants or refuses. Raises DialogueEnded for one that does neither."""
    if not (reply.is_success or reply.is_negative):
        raise endings.malformed(_NO_COMMAND, command)
    return reply


def _granted(reply: Reply, command: str) -> None:
    """Raise DialogueEnded for an answer to what no host refuses."""
    if not reply.is_success:
        raise endings.malformed(_NO_COMMAND, command)
