"""What the checks of a client, its name and its sender have in common.

A check looks at something once, however many recipients follow, and at none of those it spares: trusted
networks, people who have logged in, and mail to those whom everybody must be able to reach.
"""

from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import Literal

from twisted_mail.interfaces import Visit
from twisted_mail.mail.outcome import MailError, Outcome
from twisted_mail.mail.verdict import ACCEPT, Decision, Stage, Verdict
from twisted_mail.policy.networks import LOOPBACK, Networks

Action = Literal["accept", "quarantine", "defer", "refuse"]
When = Literal["connect", "hello", "sender", "recipient"]

_ORDER = {stage.value: at for at, stage in enumerate(Stage)}


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """Options of every check.

    ``stage`` is when it is asked. Later is kinder: at ``recipient`` a login is known, the log says whom
    the mail was for, and ``spares`` holds.
    """

    stage: When = "recipient"
    trusted: tuple[str, ...] = LOOPBACK  # networks that are not looked at
    spares: tuple[str, ...] = ("postmaster", "abuse")  # local parts that anybody may write to

    def __post_init__(self) -> None:
        Networks(self.trusted)


class Check:
    """A filter that looks at one subject. Fulfils ``interfaces.Filter``.

    A kind of check says what its ``subject`` is, and how to ``look`` at it.
    """

    def __init__(self, settings: CheckSettings) -> None:
        self._stages = (Stage(settings.stage),)
        self._trusted = Networks(settings.trusted)
        self._spares = frozenset(one.lower() for one in settings.spares)
        self._note = f"{type(self).__name__} {id(self)}"

    @property
    def stages(self) -> Collection[Stage]:
        """Say at which stage it wants to be asked."""
        return self._stages

    def subject(self, visit: Visit) -> Hashable:
        """Return what is looked at; None for nothing."""
        raise NotImplementedError

    async def look(self, visit: Visit) -> Verdict:
        """Judge the subject. Raises Unavailable."""
        raise NotImplementedError

    def is_exempt(self, visit: Visit) -> bool:
        """Say whether nobody looks at this visit."""
        if visit.submitter or visit.peer.host in self._trusted:
            return True
        recipient = visit.recipient
        return recipient is not None and recipient.local.lower() in self._spares

    async def judge(self, stage: Stage, visit: Visit) -> Verdict:
        """Judge, or say again what was said of the same subject."""
        subject = None if self.is_exempt(visit) else self.subject(visit)
        if subject is None:
            return ACCEPT
        known, verdict = visit.notes.get(self._note, (None, None))
        if known != subject:
            verdict = await self._look(visit)
            visit.notes[self._note] = subject, verdict
        if isinstance(verdict, MailError):
            raise verdict
        found: Verdict = verdict
        return found

    async def _look(self, visit: Visit) -> Verdict | MailError:
        """Look once; that it was in vain is remembered, too."""
        try:
            return await self.look(visit)
        except MailError as error:
            return error


def too_early(stage: str, first: Stage) -> bool:
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
