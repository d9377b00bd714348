"""Sending a post to the members of a list: a copy for each, with an envelope sender of its own.

Who has a copy is noted durably after every few, so that after a crash at most these get it twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from twisted_mail.interfaces import Blocking, Journal, MailingListStore, Queue
from twisted_mail.lists import header_fields
from twisted_mail.lists.settings import ListSettings
from twisted_mail.lists.texts import TEXTS
from twisted_mail.lists.verp import VerpSigner
from twisted_mail.mail.envelope import Envelope, MailParameters
from twisted_mail.mail.job import Job
from twisted_mail.mail.mailing_list import BounceRule, ListRole, MailingList, Member, role_address
from twisted_mail.mail.message import Message
from twisted_mail.mail.mime.header import end
from twisted_mail.mail.outcome import MailError, Refused, Unavailable
from twisted_mail.queue.folder import JobBlob, QueueFolder
from twisted_mail.queue.mailer import Mailer, Notice
from twisted_mail.queue.program import Completion, DeliveryResult

BATCH = 20  # copies between two notes of who has one
_MAX_HEADER = 256 * 1024  # octets in which fields are taken out


@dataclass(frozen=True, slots=True)
class BodyBlob:
    """A blob from some octet on; closing it is left to the owner of the whole."""

    message_blob: JobBlob
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
        """Do nothing."""


@dataclass(slots=True)
class _DistributionRun:
    """One attempt: what all copies share, who has one, and why some have none yet."""

    parcel: Job
    to: MailingList
    signer: VerpSigner
    trace: bytes
    header: bytes
    body: BodyBlob
    done: set[int]
    noted: list[int] = field(default_factory=list)  # those done since the last note
    trouble: MailError | None = None


class Distribution:
    """Sends posts to members, and counts what comes back."""

    def __init__(
        self,
        rolls: MailingListStore,
        queue: Queue,
        folder: QueueFolder,
        post: Mailer,
        blocking: Blocking,
        journal: Journal,
        settings: ListSettings,
    ) -> None:
        self._rolls = rolls
        self._queue = queue
        self._folder = folder
        self._post = post
        self._blocking = blocking
        self._journal = journal
        self._settings = settings
        self._is_stopping = False

    def stop(self) -> None:
        """Send no more copies; those that are missing are sent after the next start."""
        self._is_stopping = True

    async def send(self, to: MailingList, parcel: Job, blob: JobBlob) -> DeliveryResult:
        """Send a post to all members who have no copy yet. Raises Unavailable."""
        try:
            header, body = await self._blocking.run(_split, to, blob)
            done = await self._blocking.run(self._folder.done, parcel.id)
        except OSError as error:
            raise Unavailable("The message cannot be read now") from error
        signer = VerpSigner(await self._rolls.secret())
        trace = self._post.received_field(parcel.id, f"list {to.name}")
        this = _DistributionRun(parcel, to, signer, trace, header, body, done)
        try:
            is_whole = await self._send_all(this)
        finally:
            await self._save_progress(this)
        if this.trouble is not None:
            return DeliveryResult(
                Completion.LATER, this.trouble.outcome.enhanced, "some members have no copy"
            )
        return DeliveryResult(
            Completion.DONE if is_whole else Completion.LATER, reason=f"{len(this.done)} copies"
        )

    async def _send_all(self, this: _DistributionRun) -> bool:
        """Go through the members by their numbers; say whether none was left out for a stop."""
        after = 0
        while members := await self._rolls.members(this.to.name, after, BATCH):
            for member in members:
                if self._is_stopping:
                    return False
                if member.number not in this.done:
                    await self._send_copy(this, member)
            await self._save_progress(this)
            after = members[-1].number
        return True

    async def _send_copy(self, this: _DistributionRun, member: Member) -> None:
        sender = this.signer.member_address(this.to, member, ListRole.BOUNCES)
        fields = header_fields.member_fields(this.to, member, this.signer, self._settings.base_url)
        envelope = Envelope(
            f"{this.parcel.id}.{member.number}",
            sender,
            (member.address,),
            mail_parameters=MailParameters(body=this.parcel.body, is_utf8=this.parcel.is_utf8),
        )
        try:
            await self._queue.accept(
                envelope, Message(this.body, this.trace + fields + this.header)
            )
        except Refused:
            await self.count(this.to, member)
        except Unavailable as error:
            this.trouble = error
            return
        this.done.add(member.number)
        this.noted.append(member.number)

    async def _save_progress(self, this: _DistributionRun) -> None:
        if this.noted:
            noted, this.noted = this.noted, []
            try:
                await self._blocking.run(self._folder.note_done, this.parcel.id, noted)
            except OSError as error:
                raise Unavailable("The message cannot be kept now") from error

    # ------------------------------------------------------------ what comes back

    async def count(self, to: MailingList, member: Member) -> DeliveryResult:
        """Count a bounce of a member, and tell the owners when it is one too many."""
        rule = BounceRule(
            self._settings.max_bounces,
            self._settings.bounce_days * 86400,
            self._settings.bounce_hours * 3600,
        )
        bounced = await self._rolls.bounced(to.name, member.number, rule)
        if bounced.is_new:
            self._journal.warned(to.name, f"{member.address} is suspended after bounces")
            subject, text = TEXTS["suspended"]
            words = {"list": to.name, "title": to.title or to.name, "member": str(member.address)}
            sender = role_address(to.address, ListRole.REQUEST)
            for owner in to.owners:
                await self._post.send(
                    Notice(sender, owner, subject.format(**words), text.format(**words))
                )
        return DeliveryResult(Completion.DONE, reason=f"bounce {bounced.count} of {member.address}")


def _split(to: MailingList, blob: JobBlob) -> tuple[bytes, BodyBlob]:
    """Return the header that all copies share, its empty line included, and the body behind it."""
    data = b"".join(blob.pieces(0, _MAX_HEADER))
    behind = end(data)
    return header_fields.common_fields(to) + header_fields.without_list_fields(
        data[:behind]
    ), BodyBlob(blob, behind)
