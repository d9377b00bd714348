"""A report as a whole message: header, words, status, and what goes back (RFC 3461 §6, RFC 6522)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from twisted_mail.interfaces import ReportAction, ReportedRecipient
from twisted_mail.mail.address import Address
from twisted_mail.mail.notice import encoded_subject, format_date
from twisted_mail.mail.queued.job import QueuedJob
from twisted_mail.queue.reports import templates
from twisted_mail.queue.reports.delivery_status import DeliveryStatus, final_recipient
from twisted_mail.queue.reports.entity import MAX_LINE, Entity, free_boundary, multipart
from twisted_mail.queue.reports.explanation import Explanation
from twisted_mail.queue.reports.original import OriginalMessage
from twisted_mail.queue.reports.places import filled
from twisted_mail.queue.reports.plain_text import plain_line
from twisted_mail.queue.reports.returned import quoted_printable, returned_part
from twisted_mail.queue.reports.templates import ReportTexts

_MAX_SHOWN = 150  # octets of the subject of the message that is reported


@dataclass(frozen=True, slots=True)
class ReportOrder:
    """What a report is to be made of.

    ``recipient`` gets it, on a way that ``takes_utf8`` or not. A report that ``is_lost`` goes to the
    postmaster, as its sender cannot be told.
    """

    id: str
    now: float
    recipient: Address
    job: QueuedJob
    original: OriginalMessage
    told: Sequence[ReportedRecipient]
    takes_utf8: bool = False
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class ComposedReport:
    """A report as a message. If it ``is_utf8`` it can go only where SMTPUTF8 is taken."""

    data: bytes
    message_id: str
    is_utf8: bool


@dataclass(frozen=True, slots=True)
class ReportComposer:
    """Puts reports together. ``postmaster`` is who answers for this server, a person."""

    hostname: str
    postmaster: Address
    texts: ReportTexts

    def compose(self, order: ReportOrder) -> ComposedReport:
        """Return a report as a message, with CRLF line ends and lines of at most 998 octets."""
        returned = self._returned(order)
        status = self._status(order)
        template = self.texts.templates[_template_name(order)]
        values = self._values(order, returned)
        words = _words(filled(template.text, values))
        parts = [words, status, returned]
        boundary = free_boundary(parts, order.id)
        body = multipart(parts, boundary)
        fields = list(self._fields(order, filled(template.subject, values)))
        report_type = status.kind.partition("/")[2]  # RFC 6522 §3
        fields.append(f"Content-Type: multipart/report; report-type={report_type};")
        fields.append(f' boundary="{boundary}"')
        if not body.isascii():
            fields.append("Content-Transfer-Encoding: 8bit")
        head = "".join(f"{field}\r\n" for field in fields).encode()
        is_utf8 = not head.isascii() or any(_needs_utf8(part) for part in parts)
        return ComposedReport(head + b"\r\n" + body, self._message_id(order), is_utf8)

    def _message_id(self, order: ReportOrder) -> str:
        return f"<{order.id}@{self.hostname}>"

    def _fields(self, order: ReportOrder, subject: str) -> Iterator[str]:
        """Yield the fields of the header (RFC 3464 §2, RFC 3834 §3.1)."""
        yield f"From: Mail Delivery System <{self.postmaster}>"
        yield f"To: <{order.recipient}>"
        yield f"Subject: {encoded_subject(subject)}"
        yield f"Date: {format_date(order.now)}"
        yield f"Message-ID: {self._message_id(order)}"
        if order.original.references:
            yield f"In-Reply-To: {order.original.references[-1]}"
            yield "References: " + "\r\n ".join(order.original.references)
        yield "Auto-Submitted: auto-replied"
        yield "MIME-Version: 1.0"

    def _status(self, order: ReportOrder) -> Entity:
        """Return the part for programs, in UTF-8 only where that says more (RFC 6533 §4.4)."""
        is_utf8 = order.takes_utf8 and any(_has_utf8(one) for one in order.told)
        text = DeliveryStatus(self.hostname, is_utf8).text(order.job, order.told)
        kind = "message/global-delivery-status" if is_utf8 else "message/delivery-status"
        return Entity(kind, "Delivery report", text.encode(), "8bit" if is_utf8 else "7bit")

    def _returned(self, order: ReportOrder) -> Entity:
        """Return what goes back: of what has not failed, the header alone (RFC 3461 §6.2, RFC 8689 §5).

        Of copies for members of a list, too: their senders only count.
        """
        asked = order.job.mail_parameters
        is_failure = any(one.action is ReportAction.FAILED for one in order.told)
        is_wanted = asked.returns != "HDRS" and order.told[0].recipient.sender is None
        is_whole = is_failure and is_wanted and not asked.requires_tls
        return returned_part(order.original, is_whole, asked.is_utf8, order.takes_utf8)

    def _values(self, order: ReportOrder, returned: Entity) -> dict[str, str]:
        said = self.texts.sentences["said"]
        subject = plain_line(order.original.subject, _MAX_SHOWN) or said["no_subject"]
        is_header = returned.kind.endswith("headers")
        return {
            "recipients": Explanation(self.texts.sentences, order.now).text(order.job, order.told),
            "sender": f"<{order.job.sender}>",
            "subject": subject,
            "arrived": format_date(order.job.arrived),
            "id": order.job.id,
            "returned": said["header" if is_header else "whole"],
            "hostname": self.hostname,
            "postmaster": str(self.postmaster),
        }


def _template_name(order: ReportOrder) -> str:
    actions = {one.action for one in order.told}
    if order.is_lost:
        return templates.LOST
    if ReportAction.FAILED in actions:
        return templates.FAILED
    return templates.DELAYED if ReportAction.DELAYED in actions else templates.SUCCESS


def _words(text: str) -> Entity:
    """Return the text for people; only where it has to be is it encoded."""
    data = text.replace("\n", "\r\n").encode()
    is_plain = text.isascii() and max(map(len, data.split(b"\r\n"))) <= MAX_LINE
    if is_plain:
        return Entity("text/plain; charset=us-ascii", "Notification", data)
    kind = "text/plain; charset=utf-8"
    return Entity(kind, "Notification", quoted_printable(data), "quoted-printable")


def _needs_utf8(part: Entity) -> bool:
    return part.kind.startswith("message/global") and part.encoding == "8bit"


def _has_utf8(told: ReportedRecipient) -> bool:
    original = told.recipient.dsn_request.original
    is_ascii = final_recipient(told.recipient).text.isascii()
    return not is_ascii or original.lower().startswith("utf-8;")
