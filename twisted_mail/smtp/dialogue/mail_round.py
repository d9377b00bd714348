"""One mail transaction of SMTP, from MAIL to the answer to its content (RFC 5321 §3.3)."""

import re
from collections.abc import Sequence

from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import OwedRecipient, Transaction
from twisted_mail.smtp.dialogue.attempts import AttemptRecorder
from twisted_mail.smtp.dialogue.capabilities import Capabilities
from twisted_mail.smtp.dialogue.endings import DialogueEnded
from twisted_mail.smtp.dialogue.envelope_commands import mail_command, rcpt_command
from twisted_mail.smtp.dialogue.fitting import FittedMessage
from twisted_mail.smtp.dialogue.recording import SpokenPart
from twisted_mail.smtp.dialogue.replies import Reply

_TOO_MANY = re.compile(r"too many.{0,40}(recipient|rcpt)", re.IGNORECASE)


class MailRound:
    """A transaction of the queue, or those of its recipients whom the host takes at once.

    ``offered`` are the recipients with their RCPT, ``accepted`` those the host took, ``left`` those
    it takes in a further round. ``attempts`` has how it ended for each, by number. ``use`` is the
    how-manieth round of its connection it is; ``phases`` has seconds by name, and is that of all
    its attempts. It ``is_proven`` once 354 has shown that each answer before it was its command's.
    ``part`` is what was said.
    """

    __slots__ = (
        *("_recorder", "accepted", "attempts", "began", "fitted", "has_answer", "has_reset"),
        *(
            "is_proven",
            "is_refused",
            "left",
            "limit",
            "mail",
            "offered",
            "part",
            "phases",
            "transaction",
            "use",
        ),
    )

    def __init__(
        self,
        transaction: Transaction,
        recipients: Sequence[OwedRecipient],
        fitted: FittedMessage,
        offered: Capabilities,
        recorder: AttemptRecorder,
        use: int,
    ) -> None:
        self._recorder = recorder
        self.transaction = transaction
        self.fitted = fitted
        self.use = use
        wishes = transaction.job.mail_parameters
        self.mail = mail_command(transaction.sender, wishes, fitted, offered)
        is_utf8 = fitted.is_utf8
        self.offered = [(one, rcpt_command(one, is_utf8, offered)) for one in recipients]
        self.accepted: list[OwedRecipient] = []
        self.left: list[OwedRecipient] = []
        self.limit = 0  # how many it took when it had enough
        self.attempts: dict[int, Attempt] = {}
        self.phases: dict[str, float] = recorder.phases if use == 1 else {}
        self.part = SpokenPart()
        self.began = 0.0
        self.has_answer = False  # to one of its commands
        self.has_reset = False  # RSET stands before MAIL
        self.is_proven = False
        self.is_refused = False  # as a whole, by the answer to MAIL

    def group(self) -> bytes:
        """Return the commands of the envelope as one group (RFC 2920 §3.1)."""
        lines = ["RSET"] if self.has_reset else []
        lines += [self.mail, *[command for _, command in self.offered], "DATA", ""]
        return "\r\n".join(lines).encode()

    # ------------------------------------------------------------ answers

    def answer_recipient(self, recipient: OwedRecipient, command: str, reply: Reply) -> None:
        """Note what RCPT got. One that is too many for a message comes in the next.

        Where it is the first, it waits, also if the host says so by 552.
        """
        if reply.is_success:
            self.accepted.append(recipient)
        elif self.accepted and is_too_many(reply):
            self.limit = self.limit or len(self.accepted)
            self.left.append(recipient)
        else:
            self._note(recipient, _for_now(reply) if is_too_many(reply) else reply, command)

    def refuse_all(self, reply: Reply, command: str) -> None:
        """Note that all who have no answer yet were refused by one reply."""
        self.is_refused = command is self.mail
        for recipient, _ in self.offered:
            if recipient.number not in self.attempts and recipient not in self.left:
                self._note(recipient, reply, command)
        self.accepted.clear()

    def answer_content(
        self, recipients: Sequence[OwedRecipient], reply: Reply, command: str
    ) -> None:
        """Note what the content got, for recipients who were accepted."""
        attempt = self._recorder.replied(reply, command, self.use, self.phases)
        for recipient in recipients:
            self.attempts[recipient.number] = attempt

    def _note(self, recipient: OwedRecipient, reply: Reply, command: str) -> None:
        self.attempts[recipient.number] = self._recorder.replied(
            reply, command, self.use, self.phases
        )

    @property
    def needs_proof(self) -> bool:
        """Return whether a refusal could be another's: one recipient's, or a round's before this.

        Of one recipient after a MAIL that was taken it cannot: what refuses RCPT or DATA refuses him.
        """
        if self.is_proven or not any(one.outcome.code >= 500 for one in self.attempts.values()):
            return False
        return self.use > 1 if self.is_refused else len(self.offered) > 1

    def give_up(self, end: DialogueEnded) -> None:
        """Note the end of the dialogue for all who have no answer, or who may have another's."""
        attempt = self._recorder.ended(end, self.use, self.phases)
        if end.is_out_of_step:
            kept = {number: one for number, one in self.attempts.items() if one.outcome.is_success}
            self.attempts = kept
        for recipient, _ in self.offered:
            self.attempts.setdefault(recipient.number, attempt)


def _for_now(reply: Reply) -> Reply:
    """Return 552 for too many recipients as what it means (RFC 5321 §4.5.3.1.10)."""
    if reply.code == 452:
        return reply
    words = f"4.5.3 {reply.code} {reply.enhanced} {reply.text}"
    return Reply(452, [words.encode()])


def is_too_many(reply: Reply) -> bool:
    """Return whether RCPT was refused for the number of recipients alone (RFC 5321 §4.5.3.1.10).

    552 is what the code was before RFC 1869 had gone round. 452 without more says it, too; with an
    enhanced code it may be a full disk (RFC 3463 §3.6: X.5.3 is the number of recipients).
    """
    if reply.code not in (452, 552):
        return False
    if reply.enhanced[1:] == ".5.3" or _TOO_MANY.search(reply.text):
        return True
    return reply.code == 452 and not reply.enhanced
