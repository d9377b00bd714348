"""Where rounds come from: transactions of the queue, fitted to the host, as many as may be."""

from collections.abc import Sequence
from dataclasses import dataclass

from twisted_mail.interfaces import Blocking, Clock, DialogueJournal, FaultReport
from twisted_mail.mail.outcome import MailError, Outcome
from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.mail.queued.job import OwedRecipient, Transaction
from twisted_mail.smtp.dialogue.attempts import AttemptRecorder
from twisted_mail.smtp.dialogue.capabilities import Capabilities
from twisted_mail.smtp.dialogue.command_channel import CommandChannel
from twisted_mail.smtp.dialogue.endings import END_OF_MESSAGE
from twisted_mail.smtp.dialogue.fitting import NO_UTF8, FittedMessage, MessageFitter
from twisted_mail.smtp.dialogue.mail_round import MailRound
from twisted_mail.smtp.dialogue.message_supply import MessageSupply
from twisted_mail.smtp.dialogue.settings import DialogueLimits

UNREADABLE = Outcome(451, "4.3.0", "The message cannot be read here now")
_CLASSES = {
    "5.3.4": ReplyClass.SIZE,
    "5.6.3": ReplyClass.CONTENT,
    "5.6.7": ReplyClass.CONTENT,
    "5.6.11": ReplyClass.CONTENT,
}


@dataclass(frozen=True, slots=True)
class DialogueDoors:
    """What a dialogue is given: time, threads for files, and somebody who hears of faults of the disk.

    ``journal`` keeps dialogues; None where none is kept.
    """

    clock: Clock
    blocking: Blocking
    report_fault: FaultReport
    journal: DialogueJournal | None = None


class RoundSource:
    """Begins the rounds of one connection; ``rounds`` counts them.

    ``needs_reset`` is set where a mail transaction is open that came to nothing, ``has_quit`` once QUIT
    was said.
    """

    __slots__ = (
        *("_channel", "_doors", "_fitter", "_limits", "_most", "_offered", "_opened"),
        *("_recorder", "has_quit", "needs_reset", "rounds"),
    )

    def __init__(
        self,
        channel: CommandChannel,
        offered: Capabilities,
        limits: DialogueLimits,
        recorder: AttemptRecorder,
        fitter: MessageFitter,
        doors: DialogueDoors,
    ) -> None:
        self._channel = channel
        self._offered = offered
        self._limits = limits
        self._recorder = recorder
        self._fitter = fitter
        self._doors = doors
        self._opened = doors.clock.monotonic()
        self._most = min(limits.max_recipients, offered.max_recipients or limits.max_recipients)
        self.needs_reset = self.has_quit = False
        self.rounds = 0

    @property
    def may_go_on(self) -> bool:
        """Return whether the connection is good for one more round (RFC 9422: MAILMAX)."""
        if self.has_quit:
            return False
        limits = self._limits
        most = min(limits.max_messages, self._offered.max_messages or limits.max_messages)
        age = self._doors.clock.monotonic() - self._opened
        return self.rounds < most and age < limits.max_age

    async def first(self, work: MessageSupply) -> MailRound | None:
        """Begin a round while nothing is under way; wait for a transaction if need be.

        Raises DialogueEnded if the host has ended the dialogue meanwhile.
        """
        await self._channel.check_in_step("", may_refuse=True)
        found = await self.begin(work)
        while found is None and self.may_go_on:
            transaction = await work.wait(self._limits.idle)
            if transaction is None:
                return None
            await self._channel.check_in_step("", may_refuse=True)
            found = await self.begin(work, transaction)
        return found

    async def begin(
        self, work: MessageSupply, transaction: Transaction | None = None
    ) -> MailRound | None:
        """Begin a round with the next transaction of which the host takes anything, if there is one."""
        while self.may_go_on:
            transaction = transaction or work.next()
            if transaction is None:
                return None
            fitted = await self._fitted(work, transaction)
            if fitted is not None:
                recipients = self._takeable(work, transaction)
                if recipients:
                    return self._round(transaction, recipients, fitted)
                fitted.close()
            transaction = None
        return None

    async def following(self, work: MessageSupply, present: MailRound) -> MailRound | None:
        """Begin the round after this one: of those whom the host has put off, or of what is next."""
        if not present.left:
            return await self.begin(work)
        left, present.left = present.left, []
        self._most = min(self._most, present.limit or self._most)
        if self.may_go_on:
            return self._round(present.transaction, left, present.fitted)
        return None  # they are as they were

    def _round(
        self, transaction: Transaction, recipients: list[OwedRecipient], fitted: FittedMessage
    ) -> MailRound:
        """Begin a round, and write its envelope if the host takes it as a group."""
        self.rounds += 1
        most = self._most
        found = MailRound(
            transaction, recipients[:most], fitted, self._offered, self._recorder, self.rounds
        )
        found.left = recipients[most:]
        found.has_reset, self.needs_reset = self.needs_reset, False
        found.began = self._doors.clock.monotonic()
        if self._offered.has_pipelining:
            group = found.group()
            self._channel.write(group)
            found.part.sent(found.began, group)
        return found

    # ------------------------------------------------------------ what the host takes

    async def _fitted(self, work: MessageSupply, transaction: Transaction) -> FittedMessage | None:
        """Return the message as the host takes it; None where it does not, which is noted."""
        try:
            found = self._fitter.fit_at_once(transaction)
            if found is None:
                await self._channel.drain(self._limits.block, END_OF_MESSAGE)
                found = await self._fitter.fit(transaction)
        except (OSError, MailError) as error:
            if isinstance(error, OSError):
                self._doors.report_fault(transaction.job.id, error)
            found = UNREADABLE
        if isinstance(found, FittedMessage):
            return found
        self._refuse(work, transaction, transaction.recipients, found)
        return None

    def _takeable(self, work: MessageSupply, transaction: Transaction) -> list[OwedRecipient]:
        """Return the recipients whom the host can be told, and note that of the others."""
        takes = self._fitter.takes
        wrong = [one for one in transaction.recipients if not takes(one)]
        if not wrong:
            return list(transaction.recipients)
        self._refuse(work, transaction, wrong, NO_UTF8)
        return [one for one in transaction.recipients if takes(one)]

    def _refuse(
        self,
        work: MessageSupply,
        transaction: Transaction,
        recipients: Sequence[OwedRecipient],
        outcome: Outcome,
    ) -> None:
        """Note that recipients get nothing, for a reason of ours."""
        kind = _CLASSES.get(outcome.enhanced, ReplyClass.OTHER)
        attempt = self._recorder.refused(outcome, kind, self.rounds)
        work.done(transaction, {one.number: attempt for one in recipients})
