"""How tries for recipients ended, as attempts: what is the same for all of one connection."""

from collections.abc import Mapping

from twisted_mail.interfaces import Clock
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.smtp.dialogue import endings
from twisted_mail.smtp.dialogue.endings import DialogueEnded
from twisted_mail.smtp.dialogue.recording import DialogueRecording, SpokenPart
from twisted_mail.smtp.dialogue.replies import Reply
from twisted_mail.smtp.dialogue.settings import NextHop

PROMISES = frozenset(("DSN", "DELIVERBY"))  # keywords of hosts that report by themselves


class AttemptRecorder:
    """Makes the attempts of one connection.

    ``source``, ``tls``, ``tls_failure``, ``demanded``, ``proven`` and ``keywords`` are set as they become
    known; ``phases`` has seconds by name, and goes with the attempts of the connection's first message.
    ``recording`` has what was said; None where no dialogue is kept.
    """

    __slots__ = (
        "_address",
        "_clock",
        "_host",
        "demanded",
        "keywords",
        "phases",
        "proven",
        "recording",
        "source",
        "tls",
        "tls_failure",
    )

    def __init__(
        self, clock: Clock, hop: NextHop, recording: DialogueRecording | None = None
    ) -> None:
        self._clock = clock
        self._host = hop.host
        self._address = hop.shown_address
        self.recording = recording
        self.source = hop.source
        self.phases: dict[str, float] = {}
        self.tls = self.tls_failure = self.demanded = self.proven = ""
        self.keywords: frozenset[str] = frozenset()

    def replied(self, reply: Reply, command: str, use: int, phases: Mapping[str, float]) -> Attempt:
        """Return the attempt that a reply ended."""
        outcome = endings.outcome_of(reply)
        return self._attempt(outcome, command, use, phases, ReplyClass.OTHER, is_reply=True)

    def ended(self, end: DialogueEnded, use: int, phases: Mapping[str, float]) -> Attempt:
        """Return the attempt that the end of the dialogue ended."""
        return self._attempt(
            end.outcome, end.command, use, phases, end.reply_class, is_reply=end.is_reply
        )

    def refused(self, outcome: Outcome, reply_class: ReplyClass, use: int) -> Attempt:
        """Return the attempt that we ended ourselves: the host cannot take what it would be sent."""
        return self._attempt(outcome, "", use, {}, reply_class, is_reply=False, is_spoken=False)

    def not_reached(self, outcome: Outcome) -> Attempt:
        """Return the attempt of which there was no connection."""
        return self._attempt(
            outcome, "", 0, {}, ReplyClass.NETWORK, is_reply=False, is_spoken=False
        )

    def keep_dialogue(self, use: int, part: SpokenPart, message: str = "") -> None:
        """Keep what was said about the so-manieth message, if an attempt refers to it."""
        if self.recording is not None:
            about = self._host, self._address, self.source, self.tls
            self.recording.keep(use, part, message, about)

    def _attempt(
        self,
        outcome: Outcome,
        command: str,
        use: int,
        phases: Mapping[str, float],
        reply_class: ReplyClass,
        is_reply: bool,
        is_spoken: bool = True,
    ) -> Attempt:
        dialogue = ""
        if is_spoken and self.recording is not None:
            dialogue = self.recording.id(use, outcome.is_success)
        return Attempt(
            outcome=outcome,
            at=self._clock.now(),
            reply_class=reply_class,
            host=self._host,
            address=self._address,
            source=self.source,
            command=command,
            tls=self.tls,
            use=use,
            phases=phases,
            is_reply=is_reply,
            keywords=self.keywords,
            tls_failure=self.tls_failure,
            dialogue=dialogue,
            demanded=self.demanded,
            proven=self.proven,
        )
