"""Asking the filters, stage by stage: in the order of the configuration, each within its time.

The first refusal ends the asking, and so does a final verdict. Of the verdicts that accept the mail the
strictest holds, with the edits of all, whatever the stage at which they were given: a verdict about the
client holds for all its messages, one about a recipient for the whole message.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

from twisted_mail.interfaces import (
    Clock,
    ConversationEnded,
    Filter,
    Journal,
    Peer,
    SmtpContext,
    StatefulFilter,
)
from twisted_mail.mail.outcome import MailError
from twisted_mail.mail.verdict import ACCEPT, Decision, FilterStage, Verdict

MAX_VERDICTS = 50  # kept of one transaction; those that decide nothing are not kept beyond it

_STRICTNESS = {decision: rank for rank, decision in enumerate(Decision)}


@dataclass(frozen=True, slots=True)
class ConfiguredFilter:
    """A filter, and for which services it is asked: for all where none is named.

    ``when_failed`` is the decision in its place when it fails or takes longer than ``seconds``.
    """

    name: str
    filter: Filter
    services: Collection[str] = ()
    seconds: float = 10.0
    when_failed: Decision = Decision.ACCEPT

    def is_for(self, service: str) -> bool:
        """Return whether it is asked about a service."""
        return not self.services or service in self.services


class FilterChain:
    """All configured filters, in the order in which they are asked. Fulfils ``interfaces.Policy``."""

    def __init__(
        self, clock: Clock, journal: Journal, filters: Sequence[ConfiguredFilter] = ()
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._filters = tuple(filters)
        self._stateful = tuple(
            (one, one.filter) for one in filters if isinstance(one.filter, StatefulFilter)
        )
        self._filters_of = cache(self._find)
        self._stateful_filters = cache(self._find_stateful)

    def _find(self, service: str, stage: FilterStage) -> tuple[ConfiguredFilter, ...]:
        return tuple(
            one for one in self._filters if one.is_for(service) and stage in one.filter.stages
        )

    def _find_stateful(self, service: str) -> tuple[tuple[str, StatefulFilter], ...]:
        return tuple((one.name, made) for one, made in self._stateful if one.is_for(service))

    def begin(self, service: str, peer: Peer) -> SmtpContext | None:
        """Return the context of a new conversation; None when no filter judges this service."""
        is_judged = any(one.is_for(service) for one in self._filters)
        return SmtpContext(service, peer) if is_judged else None

    def is_asked(self, stage: FilterStage, context: SmtpContext) -> bool:
        """Return whether any filter judges at a stage, or at the last one has judged before."""
        is_last = stage is FilterStage.MESSAGE
        return bool(self._filters_of(context.service, stage)) or (
            is_last and bool(context.verdicts)
        )

    async def judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        """Ask the filters, up to the first refusal."""
        before = len(context.verdicts)
        verdict = await self._judge(stage, context)
        if stage is FilterStage.CONNECT:
            context.of_client = context.of_hello = len(context.verdicts)
        elif stage is FilterStage.HELLO and not verdict.is_refusal:
            del context.verdicts[context.of_client : before]  # said of another name
            context.of_hello = len(context.verdicts)
        elif stage is FilterStage.MESSAGE and not verdict.is_refusal:
            return _combined(context)
        return verdict

    async def _judge(self, stage: FilterStage, context: SmtpContext) -> Verdict:
        for configured in self._filters_of(context.service, stage):
            verdict = await self._ask(configured, stage, context)
            if verdict != ACCEPT:
                self._note(configured.name, stage, context, verdict)
            if verdict.is_refusal:
                return verdict
            if verdict.is_final:
                break
        return ACCEPT

    def _note(self, name: str, stage: FilterStage, context: SmtpContext, verdict: Verdict) -> None:
        """Keep and log a verdict; once, if it is the same for many recipients."""
        is_new = (name, verdict) not in context.verdicts
        decides = not verdict.is_refusal and (
            verdict.decision is not Decision.ACCEPT or verdict.edits
        )
        if is_new and (decides or len(context.verdicts) < MAX_VERDICTS):
            context.verdicts.append((name, verdict))
        if verdict.reason and (is_new or verdict.is_refusal):
            self._journal.judged(name, stage, context, verdict)

    async def _ask(
        self, configured: ConfiguredFilter, stage: FilterStage, context: SmtpContext
    ) -> Verdict:
        try:
            return await self._clock.within(
                configured.seconds, configured.filter.judge(stage, context)
            )
        except ConversationEnded:
            raise
        except TimeoutError:
            return Verdict(
                configured.when_failed, f"no answer within {configured.seconds:g} seconds"
            )
        except MailError as error:
            self._note_cause(configured.name, error)
            return Verdict(configured.when_failed, f"could not be asked: {error.outcome.text}")
        except Exception:
            self._journal.failed(f"filter {configured.name}")
            return Verdict(configured.when_failed, "failed")

    def _note_cause(self, name: str, error: MailError) -> None:
        """Log why a message could not be read for a filter; the client is not sent it."""
        if isinstance(error.__cause__, OSError):
            text = f"{error.outcome.text}: {error.__cause__.strerror or error.__cause__}"
            self._journal.warned(f"filter {name}:", text)

    def ended(self, context: SmtpContext, is_over: bool) -> None:
        """Notify the filters that keep something of a conversation."""
        del context.verdicts[context.of_hello :]
        for name, stateful in self._stateful_filters(context.service):
            try:
                stateful.ended(context, is_over)
            except Exception:
                self._journal.failed(f"filter {name}")


def _combined(context: SmtpContext) -> Verdict:
    """Return the strictest of the verdicts that accepted the mail, with all their edits."""
    taken = [one for _, one in context.verdicts if not one.is_refusal]
    strictest = max(taken, key=lambda one: _STRICTNESS[one.decision], default=ACCEPT)
    return Verdict(strictest.decision, strictest.reason, edits=context.edits)
