"""What each word does to one recipient: pure functions."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from twisted_mail.interfaces import DamagedRecipient, SelectedRecipient
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import BY_OPERATOR, OwedRecipient, RecipientState
from twisted_mail.mail.queued.word import Act

GIVEN_UP = Outcome(554, "5.0.0", "Given up by the operator of this server")
NOW = 0.0  # a due time that has come, however the clock is set

HELD_ALREADY = "held already"
NOT_HELD = "not held"
HAS_ENDED = "has ended, and its report is written soon"
IS_HELD = "held: release lets it go on"
MODERATED = "waits for the moderators of a list: twisted-mail list approve"
NOT_MODERATED = "does not wait for the moderators of a list"

GOES = {Act.REMOVE, Act.FAIL, Act.REJECT}  # acts after which a recipient is not owed any more
DONE = {  # the events of the log
    Act.RETRY: "retried",
    Act.HOLD: "held",
    Act.RELEASE: "released",
    Act.REMOVE: "removed",
    Act.APPROVE: "approved",
    Act.REJECT: "rejected",
}
ON_RECIPIENTS = {*DONE, Act.FAIL}


def altered(act: Act, recipient: OwedRecipient, now: float) -> OwedRecipient | str:
    """Return a recipient as a word leaves it, or why the word does nothing to it.

    One that is given up (``GOES``) is returned as it is reported, one that is due already when it is to
    be tried as it is: its site may rest, and does so no longer.
    """
    is_held = recipient.state is RecipientState.HELD
    if recipient.state is RecipientState.UNREPORTED and act is not Act.REMOVE:
        return HAS_ENDED
    match act:
        case Act.RETRY if is_held:
            return IS_HELD
        case Act.RETRY:
            return recipient if recipient.due <= now else replace(recipient, due=NOW)
        case Act.HOLD if is_held:
            return HELD_ALREADY
        case Act.HOLD:
            return replace(recipient, state=RecipientState.HELD, due=0.0, reason=BY_OPERATOR)
        case Act.RELEASE if not is_held:
            return NOT_HELD
        case Act.RELEASE:
            return MODERATED if recipient.waits_for_moderators else _released(recipient)
        case Act.APPROVE | Act.REJECT if not recipient.waits_for_moderators:
            return NOT_MODERATED
        case Act.APPROVE:
            return _released(recipient)
        case Act.FAIL:
            return replace(recipient, last=_given_up(recipient.last, now))
    return recipient


def _released(recipient: OwedRecipient) -> OwedRecipient:
    waiting = RecipientState.WAITING
    return replace(recipient, state=waiting, due=NOW, reason="", notices=0)


def _given_up(last: Attempt | None, now: float) -> Attempt:
    """Return why a recipient is given up; what the other side said last is in the text."""
    if last is None:
        return Attempt(GIVEN_UP, now)
    said = f"{last.outcome.code} {last.outcome.enhanced} {last.outcome.text}"
    outcome = replace(GIVEN_UP, text=f"{GIVEN_UP.text}; the last answer was: {said}")
    return Attempt(outcome, now, last.reply_class)


@dataclass(slots=True)
class WordTally:
    """How many recipients a word has altered, and what it passed over, by the reason.

    ``reports`` are the ids of those that were written.
    """

    recipients: int = 0
    jobs: set[str] = field(default_factory=set)
    passed_over: dict[str, int] = field(default_factory=dict)
    reports: set[str] = field(default_factory=set)

    def take(
        self, act: Act, page: Iterable[SelectedRecipient], now: float
    ) -> list[SelectedRecipient]:
        """Count the recipients of a page; return those that the word is done to, as it leaves them.

        What it leaves as it was is returned as the same object.
        """
        found = []
        for one in page:
            if one.job.id in self.reports:  # which the word has brought about
                continue
            result = altered(act, one.recipient, now)
            if isinstance(result, str):
                self.passed_over[result] = self.passed_over.get(result, 0) + 1
            else:
                self.recipients += 1
                self.jobs.add(one.job.id)
                is_same = result is one.recipient
                found.append(one if is_same else SelectedRecipient(one.job, result))
        return found

    def take_damaged(self, found: Iterable[DamagedRecipient]) -> None:
        """Count damaged recipients that are removed."""
        for one in found:
            self.recipients += 1
            self.jobs.add(one.id)

    def data(self) -> dict[str, object]:
        """Return it as whoever gave the word reads it."""
        return {
            "recipients": self.recipients,
            "messages": len(self.jobs),
            "passed_over": self.passed_over,
            "reports": len(self.reports),
        }
