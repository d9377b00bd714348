"""What the checks of a client, its name and its sender have in common.

A check is made once, however many recipients follow. Exempt from it are trusted networks, clients that
are logged in, and mail to addresses that everybody must be able to reach.
"""

from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import Literal

from twisted_mail.interfaces import SmtpContext
from twisted_mail.mail.address import canonical_text
from twisted_mail.mail.outcome import MailError, Outcome
from twisted_mail.mail.verdict import ACCEPT, Decision, FilterStage, Verdict
from twisted_mail.policy.networks import LOOPBACK, Networks

Action = Literal["accept", "quarantine", "defer", "refuse"]
CheckStage = Literal["connect", "hello", "sender", "recipient"]

_ORDER = {stage.value: at for at, stage in enumerate(FilterStage)}


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """Options of every check.

    ``stage`` is when the check is made. Later is kinder: at ``recipient`` a login is known, the log shows
    the recipient, and ``spares`` applies.
    """

    stage: CheckStage = "recipient"
    trusted: tuple[str, ...] = LOOPBACK  # networks that are exempt
    spares: tuple[str, ...] = ("postmaster", "abuse")  # local parts that everybody may write to

    def __post_init__(self) -> None:
        Networks(self.trusted)


class CheckFilter:
    """A filter that checks one subject. Fulfils ``interfaces.Filter``.

    Each kind of check defines its ``subject``, and ``evaluate``.
    """

    def __init__(self, settings: CheckSettings) -> None:
        self._stages = (FilterStage(settings.stage),)
        self._trusted = Networks(settings.trusted)
        self._spares = frozenset(map(canonical_text, settings.spares))
        self._note = f"{type(self).__name__} {id(self)}"

    @property
    def stages(self) -> Collection[FilterStage]:
        """Return the stage at which it judges."""
        return self._stages

    def subject(self, context: SmtpContext) -> Hashable:
        """Return what is checked; None for nothing."""
        raise NotImplementedError

    async def evaluate(self, context: SmtpContext) -> Verdict:
        """Judge the subject. Raises Unavailable."""
        raise NotImplementedError

    def is_exempt(self, context: SmtpContext) -> bool:
        """Return whether a conversation, or its recipient, is exempt."""
        if context.submitter or context.peer.host in self._trusted:
            return True
        recipient = context.recipient
        return recipient is not None and canonical_text(recipient.local) in self._spares

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Judge, or return the verdict on the same subject again."""
        subject = None if self.is_exempt(context) else self.subject(context)
        if subject is None:
            return ACCEPT
        known, verdict = context.notes.get(self._note, (None, None))
        if known != subject:
            verdict = await self._evaluate_once(context)
            context.notes[self._note] = subject, verdict
        if isinstance(verdict, MailError):
            raise verdict
        found: Verdict = verdict
        return found

    async def _evaluate_once(self, context: SmtpContext) -> Verdict | MailError:
        """Check once; return the error if it cannot be done, so that this is remembered too."""
        try:
            return await self.evaluate(context)
        except MailError as error:
            return error


def is_too_early(stage: str, first: FilterStage) -> bool:
    """Return whether a stage is before the first at which the subject is known."""
    return _ORDER[stage] < _ORDER[first.value]


def verdict(action: Action, reason: str, outcome: Outcome) -> Verdict:
    """Return the verdict of a configured action; ``outcome`` is the answer of a permanent refusal.

    A temporary refusal has the same text with a temporary code.
    """
    decision = Decision(action)
    if decision is Decision.DEFER:
        enhanced = "4" + outcome.enhanced[1:]
        return Verdict(decision, reason, Outcome(450, enhanced, outcome.text))
    return Verdict(decision, reason, outcome if decision is Decision.REFUSE else None)
