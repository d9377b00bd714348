"""What the checks of a client, its name and its sender have in common.

A check looks at something once, however many recipients follow, and at none of those it spares: trusted
networks, people who have logged in, and mail to those whom everybody must be able to reach.
"""

from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import Literal

from twisted_mail.interfaces import SmtpContext
from twisted_mail.mail.outcome import MailError, Outcome
from twisted_mail.mail.verdict import ACCEPT, Decision, FilterStage, Verdict
from twisted_mail.policy.networks import LOOPBACK, Networks

Action = Literal["accept", "quarantine", "defer", "refuse"]
CheckStage = Literal["connect", "hello", "sender", "recipient"]

_ORDER = {stage.value: at for at, stage in enumerate(FilterStage)}


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """Options of every check.

    ``stage`` is when it is asked. Later is kinder: at ``recipient`` a login is known, the log says whom
    the mail was for, and ``spares`` holds.
    """

    stage: CheckStage = "recipient"
    trusted: tuple[str, ...] = LOOPBACK  # networks that are not looked at
    spares: tuple[str, ...] = ("postmaster", "abuse")  # local parts that anybody may write to

    def __post_init__(self) -> None:
        Networks(self.trusted)


class CheckFilter:
    """A filter that looks at one subject. Fulfils ``interfaces.Filter``.

    A kind of check says what its ``subject`` is, and how to ``evaluate`` at it.
    """

    def __init__(self, settings: CheckSettings) -> None:
        self._stages = (FilterStage(settings.stage),)
        self._trusted = Networks(settings.trusted)
        self._spares = frozenset(one.lower() for one in settings.spares)
        self._note = f"{type(self).__name__} {id(self)}"

    @property
    def stages(self) -> Collection[FilterStage]:
        """Say at which stage it wants to be asked."""
        return self._stages

    def subject(self, context: SmtpContext) -> Hashable:
        """Return what is looked at; None for nothing."""
        raise NotImplementedError

    async def evaluate(self, context: SmtpContext) -> Verdict:
        """Judge the subject. Raises Unavailable."""
        raise NotImplementedError

    def is_exempt(self, context: SmtpContext) -> bool:
        """Say whether nobody looks at this visit."""
        if context.submitter or context.peer.host in self._trusted:
            return True
        recipient = context.recipient
        return recipient is not None and recipient.local.lower() in self._spares

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Judge, or say again what was said of the same subject."""
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
        """Look once; that it was in vain is remembered, too."""
        try:
            return await self.evaluate(context)
        except MailError as error:
            return error


def is_too_early(stage: str, first: FilterStage) -> bool:
    """Say whether what is looked at is not known yet at a stage."""
    return _ORDER[stage] < _ORDER[first.value]


def verdict(action: Action, reason: str, outcome: Outcome) -> Verdict:
    """Return the verdict of a configured action; ``outcome`` is told of a refusal for good.

    For now, the same is told with a temporary code.
    """
    decision = Decision(action)
    if decision is Decision.DEFER:
        enhanced = "4" + outcome.enhanced[1:]
        return Verdict(decision, reason, Outcome(450, enhanced, outcome.text))
    return Verdict(decision, reason, outcome if decision is Decision.REFUSE else None)
