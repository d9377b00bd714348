"""Events of the queue as the fields of a line of the log: see "The log" in ``docs/queue.md``.

The fields and their order are a promise to those who read the log with programs: what is new comes
behind. An empty field is left out.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from twisted_mail.interfaces import Journal, ReportAction, ReportedRecipient
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, QueuedJob
from twisted_mail.mail.queued.word import Word, given

MAX_NAMED = 100  # recipients in one line; the others are counted
_ENDS = ("removed", "rejected")  # after which there is no next try
MAX_TEXT = 2000  # characters of the other side's words

Fields = Mapping[str, object]


# Values that the log and the journey have in different forms: ``str`` is that of the log.


class LoggedAddress(str):
    """An address; in the log it stands in angle brackets, also where it is empty."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"<{self[:]}>"  # a part of it is a text as others are


class LoggedAddresses(tuple[str, ...]):
    """Addresses; the log names the first of very many, and counts the others."""

    __slots__ = ()

    def __str__(self) -> str:
        shown = ",".join(f"<{one}>" for one in self[:MAX_NAMED])
        more = len(self) - MAX_NAMED
        return f"{shown},+{more}" if more > 0 else shown


class LoggedNames(tuple[str, ...]):
    """Names; the log has them with commas."""

    __slots__ = ()

    def __str__(self) -> str:
        return ",".join(self)


class LoggedPhases(dict[str, float]):
    """Seconds by the names of phases."""

    __slots__ = ()

    def __str__(self) -> str:
        return ",".join(f"{name}:{took:.3f}" for name, took in self.items())


class QueueEvents:
    """Fulfils ``interfaces.QueueJournal``: it knows what a line has, the journal how it is written."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def accepted(self, job: QueuedJob, recipients: Sequence[OwedRecipient]) -> None:
        """Note that we are responsible for a message, and to whom it is owed."""
        fields = {
            "from": LoggedAddress(job.sender.text),
            "account": job.submitter,
            "size": job.size,
            "kind": job.kind.value,
            "priority": job.mail_parameters.priority or "",
            "recipients": len(recipients),
            "to": LoggedAddresses([one.address.text for one in recipients]),
            "message_id": job.message_id,
        }
        self._note(job.id, "accepted", fields)

    def tried(
        self, id: str, destination: Destination, site: str, attempt: Attempt, until: float
    ) -> None:
        """Note that a site could not be reached, and rests until then."""
        fields = {"destination": str(destination), "site": site, "until": _moment(until)}
        self._note(id, "tried", {**fields, **_other_side(attempt)})

    def delivered(self, job: QueuedJob, recipient: OwedRecipient, site: str) -> None:
        """Note that a recipient is served, with the other side's words."""
        self._note(job.id, "delivered", _ended(job, recipient, site))

    def deferred(self, job: QueuedJob, recipient: OwedRecipient, site: str) -> None:
        """Note that a recipient was refused for now, and is tried again at ``recipient.due``."""
        fields = _ended(job, recipient, site)
        self._note(job.id, "deferred", {**fields, "next": _moment(recipient.due)})

    def failed(self, job: QueuedJob, recipient: OwedRecipient, site: str) -> None:
        """Note that a recipient was refused permanently."""
        self._note(job.id, "failed", _ended(job, recipient, site))

    def expired(self, job: QueuedJob, recipient: OwedRecipient, site: str) -> None:
        """Note that a recipient has been tried for too long: ``recipient.last`` is the last try."""
        self._note(job.id, "expired", _ended(job, recipient, site))

    def altered(self, job: QueuedJob, recipient: OwedRecipient, act: str, by: str) -> None:
        """Note what a word of the operator or of a moderator did to a recipient."""
        moment = 0.0 if act in _ENDS else recipient.due
        fields = {**_to(recipient), "by": by, "next": _moment(moment)}
        self._note(job.id, act, fields)

    def expanded(self, job: QueuedJob, recipient: OwedRecipient, new: Sequence[NewJob]) -> None:
        """Note that a recipient, a list, was served in part: which jobs came of it, for how many."""
        members = sum(len(one.recipients) for one in new)
        fields = {**_to(recipient), "recipients": members}
        self._note(job.id, "expanded", {**fields, "jobs": LoggedNames([one.job.id for one in new])})

    def reported(
        self, report: QueuedJob | None, about: QueuedJob, told: Sequence[ReportedRecipient]
    ) -> None:
        """Note that the sender of a message gets a report, or that nobody gets one."""
        fields: dict[str, object] = {
            "to": LoggedAddress(about.sender.text),
            "report": "none" if report is None else report.id,
        }
        for action in ReportAction:
            named = [one.recipient.address.text for one in told if one.action is action]
            fields[action.value] = LoggedAddresses(named)
        self._note(about.id, "reported", fields)

    def word_done(self, word: Word, recipients: int) -> None:
        """Note that the operator's word is done, and how many recipients it altered."""
        about = " ".join(f"{name}={_plain(value)}" for name, value in given(word.selection).items())
        fields = {"act": word.act.value, "by": word.by, "recipients": recipients}
        suspended = "" if word.suspension is None else str(word.suspension)
        self._note("", "word", {**fields, "suspension": suspended, "selection": about[:MAX_TEXT]})

    def _note(self, id: str, event: str, fields: Fields) -> None:
        self._journal.queue_event(id, event, fields)


def _plain(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _to(recipient: OwedRecipient) -> Fields:
    original = recipient.original
    return {
        "to": LoggedAddress(recipient.address.text),
        "for": "" if original is None else LoggedAddress(original.text),
        "destination": str(recipient.destination),
    }


def _ended(job: QueuedJob, recipient: OwedRecipient, site: str) -> Fields:
    """Return the fields of a try for one recipient; one that was never tried has few."""
    fields = {**_to(recipient), "site": site, "tries": recipient.tries}
    last = recipient.last
    if last is None:
        return fields
    return {**fields, "delay": round(max(last.at - job.arrived, 0.0), 3), **_other_side(last)}


def _other_side(attempt: Attempt) -> Fields:
    """Return who was spoken to and how, and what they said to which command."""
    outcome, was_spoken_to = attempt.outcome, attempt.is_reply or attempt.use
    return {
        "host": attempt.host,
        "address": attempt.address,
        "source": attempt.source,
        "tls": attempt.tls or ("none" if attempt.address and was_spoken_to else ""),
        "use": attempt.use or "",
        "phases": LoggedPhases({name: round(took, 3) for name, took in attempt.phases.items()}),
        "class": "" if outcome.is_success else attempt.reply_class.value,
        "code": outcome.code,
        "enhanced": outcome.enhanced,
        "text": outcome.text[:MAX_TEXT],
        "command": attempt.command[:MAX_TEXT],
        "output": attempt.output[:MAX_TEXT],
        "tls_failure": attempt.tls_failure[:MAX_TEXT],
        "dialogue": attempt.dialogue,
        "demanded": attempt.demanded,
        "proven": attempt.proven,
    }


def _moment(seconds: float) -> str:
    """Return a time as the log shows it, in UTC; nothing for 0, and for what no calendar has."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}" if seconds else ""
    except (OverflowError, ValueError, OSError):
        return ""
