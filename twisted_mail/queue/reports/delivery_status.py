"""What programs read of a report: the part message/delivery-status (RFC 3464 §2, RFC 6533 §4.1).

All values are made plain and cut, so that no line is longer than RFC 5322 §2.1.1 allows.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from twisted_mail.interfaces import ReportAction, ReportedRecipient
from twisted_mail.mail.address import Address
from twisted_mail.mail.dates import format_mail_date
from twisted_mail.mail.mime import xtext
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob
from twisted_mail.queue.reports.plain_text import plain_line

MAX_DIAGNOSTIC = 500  # octets of a reply's text: what RFC 5321 §4.5.3.1.5 lets a reply line have
_MAX_VALUE = 900  # of any other value, so that its line is shorter than 998 octets
_OWN_TYPE = "x-twisted-mail"  # of diagnostics that are ours
_STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")
_PORT = re.compile(r":[0-9]{1,5}$")
_EXPIRED = "5.4.7"  # RFC 3463 §3.5


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """Writes the part. With ``is_utf8`` it has the form of RFC 6533, else it is all ASCII."""

    hostname: str
    is_utf8: bool = False

    def text(self, job: QueuedJob, told: Iterable[ReportedRecipient]) -> str:
        """Return the part's content, with CRLF line ends."""
        groups = [self._message_fields(job)]
        groups += [self._recipient_fields(job, one) for one in told]
        return "\r\n".join("".join(f"{field}\r\n" for field in group) for group in groups)

    # ------------------------------------------------------------ of the message (RFC 3464 §2.2)

    def _message_fields(self, job: QueuedJob) -> Iterator[str]:
        asked = job.mail_parameters
        if asked.envid:
            yield self._field("Original-Envelope-Id", _decoded(asked.envid))
        yield self._field("Reporting-MTA", f"dns; {self.hostname}")
        yield self._field("Arrival-Date", format_date(job.arrived))
        if asked.deliver_by is not None:
            yield self._field("Deliver-By-Date", format_date(asked.deliver_by.deadline))
        if asked.future_release is not None:
            yield self._field("Future-Release-Request", asked.future_release.request)

    # ------------------------------------------------------------ of a recipient (RFC 3464 §2.3)

    def _recipient_fields(self, job: QueuedJob, told: ReportedRecipient) -> Iterator[str]:
        recipient, attempt = told.recipient, told.recipient.last
        if recipient.dsn_request.original:
            yield self._field("Original-Recipient", self._original(recipient.dsn_request.original))
        yield self._field("Final-Recipient", self._typed(final_recipient(recipient)))
        yield self._field("Action", told.action.value)
        yield self._field("Status", status(told))
        if attempt is not None:
            yield from self._attempt_fields(told.action, attempt)
        yield self._field("Final-Log-ID", job.id)
        if told.action is ReportAction.DELAYED and told.until:
            yield self._field("Will-Retry-Until", format_date(told.until))

    def _attempt_fields(self, action: ReportAction, attempt: Attempt) -> Iterator[str]:
        if host := host_name(attempt):
            yield self._field("Remote-MTA", f"dns; {host}")
        if attempt.is_reply:
            yield self._field("Diagnostic-Code", f"smtp; {transcription(attempt.outcome)}")
        elif action in (ReportAction.FAILED, ReportAction.DELAYED):
            text = plain_line(attempt.outcome.text, MAX_DIAGNOSTIC)
            yield self._field("Diagnostic-Code", f"{_OWN_TYPE}; {text}")
        yield self._field("Last-Attempt-Date", format_date(attempt.at))

    def _original(self, original: str) -> str:
        """Return ORCPT as a field has it: decoded, or as it came where that does not go."""
        kind, _, address = original.partition(";")
        try:
            if kind.lower() != "utf-8":
                return f"{kind}; {xtext.decode(address)}"
            address = xtext.decode_unicode(address)
        except ValueError:
            return f"{kind}; {address}"
        return f"{kind}; {address if self.is_utf8 else xtext.encode_unicode(address)}"

    def _typed(self, address: Address) -> str:
        """Return an address with its type (RFC 3461 §9.1, RFC 6533 §3)."""
        if address.text.isascii():
            return f"rfc822; {address}"
        return f"utf-8; {address if self.is_utf8 else xtext.encode_unicode(address.text)}"

    def _field(self, name: str, value: str) -> str:
        text = f"{name}: {plain_line(value, _MAX_VALUE)}"
        return text if self.is_utf8 else text.encode("ascii", "replace").decode("ascii")


def final_recipient(recipient: OwedRecipient) -> Address:
    """Return the recipient as the message's envelope had it, and not where an alias leads."""
    return recipient.original or recipient.address


def status(told: ReportedRecipient) -> str:
    """Return the status code; that of an expired recipient may begin with 4 (RFC 3464 §2.3.3)."""
    attempt = told.recipient.last
    if attempt is None:
        return {ReportAction.FAILED: _EXPIRED, ReportAction.DELAYED: "4.0.0"}.get(
            told.action, "2.0.0"
        )
    outcome = attempt.outcome
    digit = str(outcome.code)[:1]
    is_lasting = digit != "5" or not attempt.is_for_now
    if _STATUS.fullmatch(outcome.enhanced) and outcome.enhanced[0] == digit:
        parts = [str(int(part)) for part in outcome.enhanced.split(".")]
        return ".".join(parts if is_lasting else ["4", *parts[1:]])
    digit = digit if is_lasting else "4"
    return f"{digit if digit in '245' else '5'}.0.0"


def host_name(attempt: Attempt) -> str:
    """Return the name of the other side, without a port."""
    return plain_line(_PORT.sub("", attempt.host), 255)


def transcription(outcome: Outcome, limit: int = MAX_DIAGNOSTIC) -> str:
    """Return a reply as it came: code, enhanced code and text."""
    enhanced = f"{outcome.enhanced} " if outcome.enhanced else ""
    return plain_line(f"{outcome.code} {enhanced}{outcome.text}", limit)


def format_date(seconds: float) -> str:
    """Return seconds since 1970 as fields have them."""
    return format_mail_date(datetime.fromtimestamp(int(seconds), UTC))


def _decoded(envid: str) -> str:
    try:
        return xtext.decode(envid)
    except ValueError:
        return envid
