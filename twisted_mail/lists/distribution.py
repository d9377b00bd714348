"""Sending a post to the members of a list: a copy for each, with an envelope sender of its own.

Which members have their copy is noted durably after every few, so that after a crash at most these few
get it twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from twisted_mail.lists import header_fields
from twisted_mail.lists.backend import ListBackend
from twisted_mail.lists.bounces import BounceCount
from twisted_mail.lists.verp import VerpSigner
from twisted_mail.mail.delivery_result import Completion, DeliveryResult
from twisted_mail.mail.envelope import Envelope, MailParameters
from twisted_mail.mail.job import Job
from twisted_mail.mail.mailing_list_definition import ListRole, MailingList, Member
from twisted_mail.mail.message import Blob, Message
from twisted_mail.mail.mime.header import end
from twisted_mail.mail.notice import format_date
from twisted_mail.mail.outcome import MailError, Refused, Unavailable

BATCH = 20  # copies between two notes of which members have one
_MAX_HEADER = 256 * 1024  # octets in which fields are taken out


@dataclass(frozen=True, slots=True)
class BodyBlob:
    """The rest of a blob that belongs to somebody else, from ``start`` on."""

    message_blob: Blob
    start: int

    @property
    def size(self) -> int:
        """Return the number of octets."""
        return self.message_blob.size - self.start

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the octets from ``start`` to ``stop``. Raises OSError."""
        stop = self.size if stop is None else min(stop, self.size)
        return self.message_blob.pieces(self.start + start, self.start + stop)

    def close(self) -> None:
        """Do nothing: the owner closes the whole blob."""


@dataclass(slots=True)
class _DistributionRun:
    """One attempt: what all copies share, who has one, and why some have none yet.

    ``header`` has the fields that all copies share and its empty line; ``done`` are numbers of members,
    of which ``unsaved`` are not noted durably yet.
    """

    job: Job
    mailing_list: MailingList
    signer: VerpSigner
    trace: bytes
    header: bytes
    body: BodyBlob
    done: set[int]
    unsaved: list[int] = field(default_factory=list)
    error: MailError | None = None


class Distribution:
    """Sends posts to members."""

    def __init__(self, backend: ListBackend, bounces: BounceCount) -> None:
        self._backend = backend
        self._bounces = bounces
        self._is_stopping = False

    def stop(self) -> None:
        """Send no more copies; those that are missing are sent after the next start."""
        self._is_stopping = True

    async def send(self, mailing_list: MailingList, job: Job, blob: Blob) -> DeliveryResult:
        """Send a post to all members who have no copy yet. Raises Unavailable."""
        run = await self._begin(mailing_list, job, blob)
        try:
            is_complete = await self._send_all(run)
        finally:
            await self._save_progress(run)
        if run.error is not None:
            return DeliveryResult(
                Completion.LATER, run.error.outcome.enhanced, "some members have no copy"
            )
        completion = Completion.DONE if is_complete else Completion.LATER
        return DeliveryResult(completion, reason=f"{len(run.done)} copies")

    async def _begin(self, mailing_list: MailingList, job: Job, blob: Blob) -> _DistributionRun:
        backend = self._backend
        try:
            header, body = await backend.blocking.run(_split, mailing_list, blob)
            done = await backend.blocking.run(backend.progress.done, job.id)
        except OSError as error:
            backend.report_fault(f"job {job.id}", error)
            raise Unavailable("The message cannot be read now") from error
        signer = VerpSigner(await backend.lists.secret())
        trace = self._received_field(job.id, mailing_list)
        return _DistributionRun(job, mailing_list, signer, trace, header, body, done)

    def _received_field(self, id: str, mailing_list: MailingList) -> bytes:
        """Return the trace field of mail that goes on from here (RFC 5321 §4.4)."""
        date = format_date(self._backend.clock.now())
        by = f"by {self._backend.hostname} (list {mailing_list.name}) id {id}"
        return f"Received: {by};\r\n\t{date}\r\n".encode()

    async def _send_all(self, run: _DistributionRun) -> bool:
        """Go through the members by their numbers; return whether none was left out for a stop."""
        after = 0
        while members := await self._backend.lists.members(run.mailing_list.name, after, BATCH):
            for member in members:
                if self._is_stopping:
                    return False
                if member.number not in run.done:
                    await self._send_copy(run, member)
            await self._save_progress(run)
            after = members[-1].number
        return True

    async def _send_copy(self, run: _DistributionRun, member: Member) -> None:
        try:
            await self._backend.queue.accept(*self._make_copy(run, member))
        except Refused:
            await self._bounces.count(run.mailing_list, member)
        except Unavailable as error:
            run.error = error
            return
        run.done.add(member.number)
        run.unsaved.append(member.number)

    def _make_copy(self, run: _DistributionRun, member: Member) -> tuple[Envelope, Message]:
        fields = header_fields.member_fields(
            run.mailing_list, member, run.signer, self._backend.settings.base_url
        )
        envelope = Envelope(
            f"{run.job.id}.{member.number}",
            run.signer.member_address(run.mailing_list, member, ListRole.BOUNCES),
            (member.address,),
            mail_parameters=MailParameters(body=run.job.body, is_utf8=run.job.is_utf8),
        )
        return envelope, Message(run.body, run.trace + fields + run.header)

    async def _save_progress(self, run: _DistributionRun) -> None:
        if run.unsaved:
            numbers, run.unsaved = run.unsaved, []
            try:
                await self._backend.blocking.run(
                    self._backend.progress.note_done, run.job.id, numbers
                )
            except OSError as error:
                self._backend.report_fault(f"job {run.job.id}", error)
                raise Unavailable("The message cannot be kept now") from error


def _split(mailing_list: MailingList, blob: Blob) -> tuple[bytes, BodyBlob]:
    """Return the header that all copies share, its empty line included, and the body. May block."""
    data = b"".join(blob.pieces(0, _MAX_HEADER))
    header_end = end(data)
    own_fields = header_fields.common_fields(mailing_list)
    header = own_fields + header_fields.without_list_fields(data[:header_end])
    return header, BodyBlob(blob, header_end)
