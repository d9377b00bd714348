"""What people read of a report: what happened, to whom, what they can do, what the other side said."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from twisted_mail.interfaces import ReportAction, ReportedRecipient
from twisted_mail.mail.notice import format_date
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import QueuedJob
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.mail.route import ProgramTarget
from twisted_mail.queue.reports.delivery_status import (
    final_recipient,
    host_name,
    transcription,
)
from twisted_mail.queue.reports.places import filled
from twisted_mail.queue.reports.plain_text import plain_line
from twisted_mail.queue.reports.sentences import Sentences

MAX_SAID = 2000  # octets of what the other side said
MAX_GROUPS = 20  # of recipients who share what happened; further ones are only counted
MAX_NAMED = 50  # recipients of a group
_WIDTH = 76
_INDENT = "    "
_ORDER = list(ReportAction)  # failures first


@dataclass(frozen=True, slots=True)
class _Story:
    """What is said of a recipient; those of whom the same is said are named together."""

    lead: str
    paragraphs: tuple[str, ...]
    introduction: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Tells what has become of recipients, in an operator's sentences, ``now`` in seconds since 1970."""

    sentences: Sentences
    now: float

    def text(self, job: QueuedJob, told: Sequence[ReportedRecipient]) -> str:
        """Return what is said of all recipients, those in trouble first."""
        groups: dict[_Story, list[str]] = {}
        for one in sorted(told, key=lambda one: _ORDER.index(one.action)):
            groups.setdefault(self._story(job, one), []).append(final_recipient(one.recipient).text)
        parts = [self._group(*group) for group in list(groups.items())[:MAX_GROUPS]]
        left = sum(len(names) for names in list(groups.values())[MAX_GROUPS:])
        if left:
            parts.append(self._more(left))
        return "\n\n\n".join(parts) + "\n"

    def _group(self, story: _Story, names: Sequence[str]) -> str:
        named = [f"{_INDENT}{name}" for name in names[:MAX_NAMED]]
        if len(names) > MAX_NAMED:
            named.append(f"{_INDENT}{self._more(len(names) - MAX_NAMED)}")
        parts = [story.lead, "\n".join(named), *map(_wrapped, story.paragraphs)]
        if story.said:
            parts += [_wrapped(story.introduction), _wrapped(story.said, _INDENT)]
        return "\n\n".join(parts)

    def _more(self, number: int) -> str:
        return filled(self.sentences["said"]["more"], {"more": str(number)})

    # ------------------------------------------------------------ one recipient

    def _story(self, job: QueuedJob, told: ReportedRecipient) -> _Story:
        attempt = told.recipient.last
        values = self._values(job, told)
        lead = filled(self.sentences["leads"][_lead(told)], values)
        paragraphs = tuple(filled(text, values) for text in self._paragraphs(told))
        if attempt is None or not _is_quoted(told.action, attempt):
            return _Story(lead, paragraphs)
        introduction = filled(self.sentences["said"][_introduction(attempt)], values)
        return _Story(lead, paragraphs, introduction, _said(attempt))

    def _paragraphs(self, told: ReportedRecipient) -> Iterator[str]:
        recipient, said = told.recipient, self.sentences["said"]
        if told.action in (ReportAction.FAILED, ReportAction.DELAYED):
            cause = self.sentences.cause(recipient.last)
            yield cause["happened"]
            if recipient.original is not None and isinstance(recipient.target, RemoteTarget):
                yield said["forwarded"]
            if told.action is ReportAction.FAILED:
                yield said["advice"] + cause["advice"]
                return
        yield self.sentences["later"][_later(told)]

    def _values(self, job: QueuedJob, told: ReportedRecipient) -> dict[str, str]:
        attempt = told.recipient.last
        return {
            "domain": told.recipient.address.domain,
            "host": "" if attempt is None else _host(attempt),
            "command": "" if attempt is None else plain_line(attempt.command, 400),
            "age": format_age(self.now - job.arrived),
            "until": format_date(told.until),
        }


def format_age(seconds: float) -> str:
    """Return a time span in words, cut to whole days, hours or minutes."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        number = int(seconds // length)
        if number > 0:
            return f"{number} {unit}{'s' if number > 1 else ''}"
    return "a minute"


def is_expired(last: Attempt | None) -> bool:
    """Return whether what failed was never refused permanently: its time was over."""
    return last is None or last.is_for_now


def _lead(told: ReportedRecipient) -> str:
    last = told.recipient.last
    if told.action is ReportAction.FAILED and is_expired(last):
        return "expired"
    return told.action.value


def _later(told: ReportedRecipient) -> str:
    is_program = isinstance(told.recipient.target, ProgramTarget)
    return "program" if told.action is ReportAction.RELAYED and is_program else told.action.value


def _is_quoted(action: ReportAction, attempt: Attempt) -> bool:
    return attempt.is_reply or action in (ReportAction.FAILED, ReportAction.DELAYED)


def _introduction(attempt: Attempt) -> str:
    """Return the name of the sentence that introduces what was said."""
    if not attempt.is_reply:
        return "tried" if attempt.host else "noted"
    return {"": "greeting", ".": "message"}.get(attempt.command, "command")


def _said(attempt: Attempt) -> str:
    if attempt.is_reply:
        return transcription(attempt.outcome, MAX_SAID)
    return plain_line(attempt.outcome.text, MAX_SAID)


def _host(attempt: Attempt) -> str:
    name, address = host_name(attempt), plain_line(attempt.address, 100)
    return f"{name} ({address})" if name and address else name or address


def _wrapped(text: str, indent: str = "") -> str:
    """Return a paragraph in lines; no word is broken."""
    return "\n".join(
        textwrap.wrap(
            text,
            _WIDTH,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )
