"""Reports to senders whose mail could not be handed on (RFC 3464).

Where the sender cannot be reached, which is so for every other host until mail is sent on, the
postmaster gets the report, with the message, so that it is not lost.
"""

from twisted_mail.interfaces import Blocking
from twisted_mail.mail.address import Address
from twisted_mail.mail.job import Job
from twisted_mail.mail.mime.header import end
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.route import ProgramTarget
from twisted_mail.queue.folder import JobBlob
from twisted_mail.queue.mailer import Mailer, format_date, text_part
from twisted_mail.queue.program import DeliveryResult

MAX_RETURNED = 1024 * 1024  # octets of a message that go back whole; of a larger one, the header
_MAX_HEADER = 64 * 1024


class DsnReporter:
    """Tells senders that their mail was not handed on; fulfils ``queue.job_queue.Reports``."""

    def __init__(self, post: Mailer, hostname: str, blocking: Blocking) -> None:
        self._post = post
        self._hostname = hostname
        self._blocking = blocking

    async def failed(self, parcel: Job, ended: DeliveryResult, blob: JobBlob) -> None:
        """Tell the sender, or else the postmaster. Raises Unavailable."""
        returned = await self._blocking.run(_returned_part, blob)
        for recipient in (parcel.sender, Address("postmaster", "")):
            if await self._post.send_raw(
                recipient, self._compose(recipient, parcel, ended, returned)
            ):
                return
        raise Unavailable("Nobody can be told of a failure: there is no postmaster")

    def _compose(
        self, recipient: Address, parcel: Job, ended: DeliveryResult, returned: tuple[str, bytes]
    ) -> bytes:
        sender = Address("MAILER-DAEMON", self._hostname)
        boundary = f"=_{parcel.id}"
        head = self._post.head(sender, recipient, "Your mail was not delivered", "auto-replied")
        kind = 'Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="{}"\r\n'
        parts = [
            text_part(_explanation(parcel, ended)),
            b"Content-Type: message/delivery-status\r\n\r\n" + self._status(parcel, ended),
            f"Content-Type: {returned[0]}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n".encode()
            + returned[1],
        ]
        body = b"".join(f"\r\n--{boundary}\r\n".encode() + part for part in parts)
        return head + kind.format(boundary).encode() + body + f"\r\n--{boundary}--\r\n".encode()

    def _status(self, parcel: Job, ended: DeliveryResult) -> bytes:
        status = "5" + ended.status[1:]  # what is given up has failed, whatever it was before
        lines = [
            f"Reporting-MTA: dns; {self._hostname}",
            f"Arrival-Date: {format_date(parcel.created)}",
            "",
            f"Final-Recipient: rfc822; {_recipient(parcel)}",
            "Action: failed",
            f"Status: {status}",
            "",
        ]
        return "".join(f"{line}\r\n" for line in lines).encode()


def _recipient(parcel: Job) -> str:
    destination = parcel.destination
    return (
        str(destination.recipient) if isinstance(destination, ProgramTarget) else destination.list
    )


def _explanation(parcel: Job, ended: DeliveryResult) -> str:
    return (
        f"Your message to <{_recipient(parcel)}> could not be delivered:\n"
        f"{ended.reason or 'it did not succeed'}.\n\n"
        f"It was from <{parcel.sender}>, and is returned below, or its beginning.\n"
    )


def _returned_part(blob: JobBlob) -> tuple[str, bytes]:
    """Return the media type and the octets of what goes back."""
    if blob.size <= MAX_RETURNED:
        return "message/rfc822", b"".join(blob.pieces())
    data = b"".join(blob.pieces(0, _MAX_HEADER))
    return "text/rfc822-headers", data[: end(data)]
