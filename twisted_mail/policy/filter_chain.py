"""Asking the filters, stage by stage: in the order of the configuration, each within its time.

The first filter that says no ends the asking, and so does one whose verdict is final. Of verdicts that
take the mail the strictest holds, and all their edits do, whatever the stage at which they were given:
what is said of the client holds for all its messages, what is said of a recipient for the whole message.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

from twisted_mail.interfaces import Clock, ConversationEnded, Filter, Journal, Peer, SmtpContext
from twisted_mail.mail.outcome import MailError
from twisted_mail.mail.verdict import ACCEPT, Decision, FilterStage, Verdict

MAX_VERDICTS = 50  # kept of one transaction; those that decide nothing are not kept beyond it

_STRICTNESS = {decision: rank for rank, decision in enumerate(Decision)}


@dataclass(frozen=True, slots=True)
class ConfiguredFilter:
    """A filter's place: for which services it is asked (none named: for all), and how long.

    ``when_failed`` is what is decided for it when it fails or takes longer than ``seconds``.
    """

    name: str
    filter: Filter
    services: Collection[str] = ()
    seconds: float = 10.0
    when_failed: Decision = Decision.ACCEPT

    def is_for(self, service: str) -> bool:
        """Say whether it is asked about a service."""
        return not self.services or service in self.services


class FilterChain:
    """All filters in their seats. Fulfils ``interfaces.Policy``.

    ``set_filters`` is called once, before the first conversation: filters are made with doors of which
    this is one.
    """

    def __init__(
        self, clock: Clock, journal: Journal, seats: Sequence[ConfiguredFilter] = ()
    ) -> None:
        self._clock = clock
        self._journal = journal
        self.set_filters(seats)

    def set_filters(self, seats: Sequence[ConfiguredFilter]) -> None:
        """Take the filters, in the order in which they are to be asked."""
        self._filters = tuple(seats)
        self._filters_of = cache(self._find)
        self._stateful_filters = cache(self._find_followers)

    def _find(self, service: str, stage: FilterStage) -> tuple[ConfiguredFilter, ...]:
        return tuple(
            seat for seat in self._filters if seat.is_for(service) and stage in seat.filter.stages
        )

    def _find_followers(self, service: str) -> tuple[ConfiguredFilter, ...]:
        return tuple(
            seat for seat in self._filters if seat.is_for(service) and hasattr(seat.filter, "ended")
        )

    def begin(self, service: str, peer: Peer) -> SmtpContext | None:
        """Return the visit of a new conversation, if anybody is asked about it."""
        is_wanted = any(seat.is_for(service) for seat in self._filters)
        return SmtpContext(service, peer) if is_wanted else None

    def is_asked(self, stage: FilterStage, context: SmtpContext) -> bool:
        """Say whether any filter is asked at a stage, or at the last was asked before."""
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
        for seat in self._filters_of(context.service, stage):
            verdict = await self._ask(seat, stage, context)
            if verdict != ACCEPT:
                self._note(seat.name, stage, context, verdict)
            if verdict.is_refusal:
                return verdict
            if verdict.is_final:
                break
        return ACCEPT

    def _note(self, name: str, stage: FilterStage, context: SmtpContext, verdict: Verdict) -> None:
        """Keep a verdict, and tell of it; once, if it is the same for many recipients."""
        is_new = (name, verdict) not in context.verdicts
        decides = not verdict.is_refusal and (
            verdict.decision is not Decision.ACCEPT or verdict.edits
        )
        if is_new and (decides or len(context.verdicts) < MAX_VERDICTS):
            context.verdicts.append((name, verdict))
        if verdict.reason and (is_new or verdict.is_refusal):
            self._journal.judged(name, stage, context, verdict)

    async def _ask(
        self, seat: ConfiguredFilter, stage: FilterStage, context: SmtpContext
    ) -> Verdict:
        try:
            return await self._clock.within(seat.seconds, seat.filter.judge(stage, context))
        except ConversationEnded:
            raise
        except TimeoutError:
            return Verdict(seat.when_failed, f"no answer within {seat.seconds:g} seconds")
        except MailError as error:
            return Verdict(seat.when_failed, f"could not be asked: {error.outcome.text}")
        except Exception:
            self._journal.failed(f"filter {seat.name}")
            return Verdict(seat.when_failed, "failed")

    def ended(self, context: SmtpContext, is_over: bool) -> None:
        """Tell those filters that keep something of a conversation."""
        del context.verdicts[context.of_hello :]
        for seat in self._stateful_filters(context.service):
            try:
                seat.filter.ended(context, is_over)  # type: ignore[attr-defined]
            except Exception:
                self._journal.failed(f"filter {seat.name}")


def _combined(context: SmtpContext) -> Verdict:
    """Return the strictest of the verdicts that took the mail, with all their edits."""
    taken = [one for _, one in context.verdicts if not one.is_refusal]
    strictest = max(taken, key=lambda one: _STRICTNESS[one.decision], default=ACCEPT)
    return Verdict(strictest.decision, strictest.reason, edits=context.edits)
