"""Failure reports to senders whose mail could not be delivered (RFC 3464).

Where the sender cannot be reached, which is so for every other host until mail is sent on, the
postmaster gets the report, with the message, so that it is not lost.
"""

from twisted_mail.interfaces import Blocking, Mailer
from twisted_mail.mail.address import Address
from twisted_mail.mail.delivery_result import DeliveryResult
from twisted_mail.mail.job import Job
from twisted_mail.mail.message import Blob
from twisted_mail.mail.mime.header import end
from twisted_mail.mail.notice import Notice, format_date, text_content
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.route import ProgramTarget

MAX_RETURNED = 1024 * 1024  # octets of a message that go back whole; of a larger one, the header
_MAX_HEADER = 64 * 1024


class DsnReporter:
    """Writes delivery status notifications. Fulfils ``queue.runner.FailureReporter``."""

    def __init__(self, mailer: Mailer, hostname: str, blocking: Blocking) -> None:
        self._mailer = mailer
        self._hostname = hostname
        self._blocking = blocking

    async def report(self, job: Job, result: DeliveryResult, blob: Blob) -> None:
        """Send a failure report to the sender, or else to the postmaster. Raises Unavailable."""
        returned = await self._blocking.run(_returned_part, blob)
        content = self._content(job, result, returned)
        sender = Address("MAILER-DAEMON", self._hostname)
        for recipient in (job.sender, Address("postmaster", "")):
            notice = Notice(
                sender, recipient, "Your mail was not delivered", content, "auto-replied"
            )
            if await self._mailer.send(notice):
                return
        raise Unavailable("A failure cannot be reported: there is no postmaster")

    def _content(self, job: Job, result: DeliveryResult, returned: bytes) -> bytes:
        """Return the report as a MIME entity: words, status, and what goes back (RFC 6522)."""
        boundary = f"=_{job.id}"
        head = (
            "Content-Type: multipart/report; report-type=delivery-status;\r\n"
            f'\tboundary="{boundary}"\r\n'
        )
        status = b"Content-Type: message/delivery-status\r\n\r\n" + self._status(job, result)
        parts = [text_content(_explanation(job, result)), status, returned]
        body = b"".join(f"\r\n--{boundary}\r\n".encode() + part for part in parts)
        return head.encode() + body + f"\r\n--{boundary}--\r\n".encode()

    def _status(self, job: Job, result: DeliveryResult) -> bytes:
        # A job that is given up has failed, whatever its last code.
        status = "5" + result.status[1:]
        lines = [
            f"Reporting-MTA: dns; {self._hostname}",
            f"Arrival-Date: {format_date(job.created)}",
            "",
            f"Final-Recipient: rfc822; {_recipient(job)}",
            "Action: failed",
            f"Status: {status}",
            "",
        ]
        return "".join(f"{line}\r\n" for line in lines).encode()


def _recipient(job: Job) -> str:
    target = job.target
    return str(target.recipient) if isinstance(target, ProgramTarget) else target.list


def _explanation(job: Job, result: DeliveryResult) -> str:
    return (
        f"Your message to <{_recipient(job)}> could not be delivered:\n"
        f"{result.reason or 'it did not succeed'}.\n\n"
        f"It was from <{job.sender}>, and is returned below, or its beginning.\n"
    )


def _returned_part(blob: Blob) -> bytes:
    """Return what goes back, as a MIME entity: the message, or only its header. May block."""
    if blob.size <= MAX_RETURNED:
        kind, data = "message/rfc822", b"".join(blob.pieces())
    else:
        beginning = b"".join(blob.pieces(0, _MAX_HEADER))
        kind, data = "text/rfc822-headers", beginning[: end(beginning)]
    head = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    return head.encode() + data
