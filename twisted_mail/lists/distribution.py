"""Sending a post to the members of a list: jobs of many members, each with a sender of its own.

Each job has at most ``MEMBERS`` of them as its recipients, with the octets of the post once. It is
written in the commit that notes how far the list has come, so that after a crash nobody is left out and
nobody gets a second copy.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from twisted_mail.interfaces import Work
from twisted_mail.lists import header_fields
from twisted_mail.lists.backend import ListBackend
from twisted_mail.lists.bounces import BounceCount
from twisted_mail.lists.verp import VerpSigner
from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import Envelope, MailParameters
from twisted_mail.mail.mailing_list_definition import ListRole, MailingList, Member, role_address
from twisted_mail.mail.message import BorrowedBlob, Message, SlicedBlob
from twisted_mail.mail.mime.header import end
from twisted_mail.mail.notice import format_date
from twisted_mail.mail.outcome import MailError, Outcome, Refused, Unavailable
from twisted_mail.mail.queued.job import (
    NewJob,
    OwedRecipient,
    QueuedJob,
    RecipientState,
    Transaction,
)
from twisted_mail.mail.queued.target import Target, account_targets, carried_targets
from twisted_mail.mail.route import ListTarget, NoRoute

MEMBERS = 1000  # of a list, who are recipients of one job
SLICE_SECONDS = 0.02  # of looking up members, before others go first
_MAX_HEADER = 256 * 1024  # octets in which fields are taken out


@dataclass(frozen=True, slots=True)
class Post:
    """A post as the members get it; ``message`` has the fields that all copies share."""

    job: QueuedJob
    mailing_list: MailingList
    signer: VerpSigner
    message: Message

    @property
    def envelope(self) -> Envelope:
        """Return the envelope under which a list that is a member is asked."""
        parameters = self.job.mail_parameters
        kept = MailParameters(body=parameters.body, is_utf8=parameters.is_utf8)
        sender = role_address(self.mailing_list.address, ListRole.BOUNCES)
        return Envelope(self.job.id, sender, (), mail_parameters=kept)


class Distribution:
    """Sends posts to members."""

    def __init__(self, backend: ListBackend, bounces: BounceCount) -> None:
        self._backend = backend
        self._bounces = bounces
        self._is_stopping = False

    def stop(self) -> None:
        """Begin no further job; the members that are missing get theirs after the next start."""
        self._is_stopping = True

    async def send(
        self,
        mailing_list: MailingList,
        transaction: Transaction,
        recipient: OwedRecipient,
        work: Work,
    ) -> str | None:
        """Make jobs for the members who have none yet; return what was done, or None after a stop.

        Raises Unavailable.
        """
        post = await self.post(mailing_list, transaction.job, transaction.message)
        name, count = mailing_list.name, 0
        while members := await self._backend.lists.members(name, recipient.progress, MEMBERS):
            if self._is_stopping:
                return None
            job = await self.job_for(post, members)
            recipient = replace(recipient, progress=members[-1].number)
            await work.advance(transaction, recipient, [job] if job.recipients else [])
            count += len(job.recipients)
        return f"sent to {count} members"

    async def jobs_for_missing(self, new: NewJob, done: Collection[int]) -> Sequence[NewJob]:
        """Return jobs for the members up to the last of ``done`` who are not among these.

        For a post that an earlier version has sent to some of them. Raises Unavailable.
        """
        mailing_list = await self._backend.lists.find(new.recipients[0].destination.name)
        if mailing_list is None:
            return []
        post = await self.post(mailing_list, new.job, new.message)
        found: list[NewJob] = []
        after, last = 0, max(done)
        while after < last:
            members = await self._backend.lists.members(mailing_list.name, after, MEMBERS)
            missing = [one for one in members if one.number <= last and one.number not in done]
            if missing:
                found.append(await self.job_for(post, missing))
            after = members[-1].number if members else last
        return [job for job in found if job.recipients]

    async def post(self, mailing_list: MailingList, job: QueuedJob, message: Message) -> Post:
        """Return a post as the members get it; its message is lent. Raises Unavailable."""
        try:
            data = await self._backend.blocking.run(_beginning, message)
        except OSError as error:
            self._backend.report_fault(f"job {job.id}", error)
            raise Unavailable("The message cannot be read now") from error
        header_end = end(data)
        header = message.prefix + data[:header_end]
        own = self._received_field(job.id, mailing_list) + header_fields.common_fields(mailing_list)
        body = SlicedBlob(BorrowedBlob(message.blob), header_end, message.blob.size)
        shared = Message(body, own + header_fields.without_list_fields(header))
        return Post(job, mailing_list, VerpSigner(await self._backend.lists.secret()), shared)

    def _received_field(self, id: str, mailing_list: MailingList) -> bytes:
        """Return the trace field of mail that goes on from here (RFC 5321 §4.4)."""
        date = format_date(self._backend.clock.now())
        by = f"by {self._backend.hostname} (list {mailing_list.name}) id {id}"
        return f"Received: {by};\r\n\t{date}\r\n".encode()

    # ------------------------------------------------------------ the members of one job

    async def job_for(self, post: Post, members: Sequence[Member]) -> NewJob:
        """Return the job that brings a post to members; who cannot get mail at all has bounced.

        Raises Unavailable.
        """
        clock = self._backend.clock
        found: list[OwedRecipient] = []
        began = clock.monotonic()
        for member in members:
            try:
                found += await self._recipients(post, member, len(found) + 1)
            except Refused as refused:
                if refused.outcome.is_temporary:
                    raise Unavailable(refused.outcome) from refused
                await self._bounces.count(post.mailing_list, member)
            if clock.monotonic() - began >= SLICE_SECONDS:
                await clock.sleep(0)
                began = clock.monotonic()
        envelope = post.envelope
        job = QueuedJob(
            f"{post.job.id}.{members[-1].number}",
            clock.now(),
            envelope.sender,
            submitter=post.mailing_list.name,
            mail_parameters=envelope.mail_parameters,
            message_id=post.job.message_id,
            size=post.message.size,
        )
        return NewJob(job, tuple(found), post.message)

    async def _recipients(self, post: Post, member: Member, number: int) -> list[OwedRecipient]:
        """Return whom a member's mail goes to. Raises Refused and Unavailable."""
        found: list[OwedRecipient] = []
        for target in await self._targets(member.address):
            reason = await self._admit(post, target)
            if reason is not None:
                found.append(self._owed(post, member, target, number + len(found), reason))
        return found

    async def _targets(self, address: Address) -> Sequence[Target]:
        route = await self._backend.router.route(address)
        if isinstance(route, NoRoute):
            raise _as_error(route.outcome)
        return (*account_targets(route, address), *carried_targets(route))

    async def _admit(self, post: Post, target: Target) -> str | None:
        """Return why a member that is a list holds a post, or the empty text; None to drop it."""
        if not isinstance(target, ListTarget):
            return ""
        return await self._backend.admission.admit(post.envelope, target, post.message.prefix)

    def _owed(
        self, post: Post, member: Member, target: Target, number: int, reason: str
    ) -> OwedRecipient:
        base_url = self._backend.settings.base_url
        return OwedRecipient(
            number,
            target,
            original=None if target.recipient.key == member.address.key else member.address,
            sender=post.signer.member_address(post.mailing_list, member, ListRole.BOUNCES),
            fields=header_fields.member_fields(post.mailing_list, member, post.signer, base_url),
            state=RecipientState.HELD if reason else RecipientState.WAITING,
            reason=reason,
        )


def _beginning(message: Message) -> bytes:
    """Return the beginning of what came from the client, with its header. May block."""
    return b"".join(message.blob.pieces(0, _MAX_HEADER))


def _as_error(outcome: Outcome) -> MailError:
    return Unavailable(outcome) if outcome.is_temporary else Refused(outcome)
