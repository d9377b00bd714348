"""What is done with the mail that comes to a list's addresses.

| address | what comes | what is done |
| --- | --- | --- |
| ``list`` | a post | a copy for each member, see ``lists.distribution`` |
| ``list-subscribe`` | a request | a question back, which the answer confirms |
| ``list-unsubscribe`` | a request | the same; with a member's own tag, it is done at once |
| ``list-request`` | a command in the subject | as if it had come to the right address, or help |
| ``list-confirm+token`` | an answer | what was asked for; an owner's decision about a held post |
| ``list-bounces+member`` | a report | it counts for that member |

What programs have sent is dropped where a notice would answer it: two programs must not write to each
other for ever (RFC 3834 §2).
"""

from twisted_mail.lists import message_kind
from twisted_mail.lists.backend import ListBackend
from twisted_mail.lists.bounces import BounceCount
from twisted_mail.lists.distribution import Distribution
from twisted_mail.lists.moderation import ListModeration
from twisted_mail.lists.notices import ListNotices
from twisted_mail.lists.tagged_members import member_with_tag, tagged_member
from twisted_mail.mail.address import Address
from twisted_mail.mail.delivery_result import Completion, DeliveryResult
from twisted_mail.mail.job import Job
from twisted_mail.mail.mailing_list_definition import (
    JoiningPolicy,
    ListRole,
    MailingList,
    Member,
    role_address,
)
from twisted_mail.mail.message import Blob
from twisted_mail.mail.outcome import Refused
from twisted_mail.mail.route import ListTarget

_NO_LIST = DeliveryResult(Completion.FAILED, "5.1.1", "the mailing list does not exist any more")
_DAY = 86400.0


class MailingListTransport:
    """Delivers jobs to mailing lists. Fulfils ``interfaces.Transport``."""

    def __init__(self, backend: ListBackend) -> None:
        self._lists = backend.lists
        self._blocking = backend.blocking
        self._confirm_seconds = backend.settings.confirm_days * _DAY
        self._notices = ListNotices(backend.mailer, backend.clock)
        self._bounces = BounceCount(backend, self._notices)
        self.distribution = Distribution(backend, self._bounces)
        self.moderation = ListModeration(backend, self._notices)

    async def deliver(self, job: Job, blob: Blob) -> DeliveryResult:
        """Do what came to a list's address. Raises Unavailable."""
        target = job.target
        assert isinstance(target, ListTarget), "jobs come by the name of their transport"
        mailing_list = await self._lists.find(target.list)
        if mailing_list is None:
            return _NO_LIST
        match target.role:
            case ListRole.POST:
                return await self.distribution.send(mailing_list, job, blob)
            case ListRole.BOUNCES:
                return await self._record_bounce(mailing_list, target, blob)
            case ListRole.CONFIRM:
                return await self._take_answer(mailing_list, target.detail)
            case ListRole.REQUEST:
                role = await self._blocking.run(message_kind.parse_command, blob)
                return await self._request_confirmation(mailing_list, role, job.sender)
            case ListRole.UNSUBSCRIBE if member := await tagged_member(
                self._lists, mailing_list, target
            ):
                return await self._unsubscribe(mailing_list, member)
            case role:
                return await self._request_confirmation(mailing_list, role, job.sender)

    async def _record_bounce(
        self, mailing_list: MailingList, target: ListTarget, blob: Blob
    ) -> DeliveryResult:
        member = await tagged_member(self._lists, mailing_list, target)
        if member is None or not await self._blocking.run(message_kind.reports_failure, blob):
            return DeliveryResult(Completion.DONE, reason="this is no failure of a member")
        return await self._bounces.count(mailing_list, member)

    # ------------------------------------------------------------ joining and leaving

    async def _request_confirmation(
        self, mailing_list: MailingList, role: ListRole | None, requester: Address
    ) -> DeliveryResult:
        """Ask somebody who wants to join or leave to confirm it; send help for anything else."""
        if role is None:
            return await self._notices.send_hourly(mailing_list, requester, "help")
        if role is ListRole.SUBSCRIBE and mailing_list.joining is JoiningPolicy.CLOSED:
            return await self._notices.send_hourly(mailing_list, requester, "closed")
        try:
            token = await self._lists.ask(mailing_list.name, role, requester)
        except Refused as refused:
            reason = refused.outcome.text
            return await self._notices.send_hourly(mailing_list, requester, "cannot", reason=reason)
        if not token:
            return DeliveryResult(Completion.DONE, reason="was asked shortly before")
        sender = role_address(mailing_list.address, ListRole.CONFIRM, token)
        return await self._notices.send(mailing_list, requester, f"confirm {role.value}", sender)

    async def _take_answer(self, mailing_list: MailingList, detail: str) -> DeliveryResult:
        decision = await self.moderation.read_decision(mailing_list, detail)
        if decision is not None:
            return await self.moderation.record_decision(*decision)
        return await self._confirm(mailing_list, detail)

    async def _confirm(self, mailing_list: MailingList, token: str) -> DeliveryResult:
        try:
            done = await self._lists.confirm(mailing_list.name, token, self._confirm_seconds)
        except Refused as refused:
            return DeliveryResult(Completion.DONE, reason=refused.outcome.text)
        if done is None:
            return DeliveryResult(Completion.DONE, reason="nothing was asked, or long ago")
        return await self._notices.send(mailing_list, done.address, f"done {done.role.value}")

    async def _unsubscribe(self, mailing_list: MailingList, member: Member) -> DeliveryResult:
        await self._lists.leave(mailing_list.name, member.address)
        text = f"done {ListRole.UNSUBSCRIBE.value}"
        return await self._notices.send(mailing_list, member.address, text)

    async def unsubscribe(self, name: str, number: int, tag: str) -> bool:
        """Take a member off a list by the tag of its List-Unsubscribe page (RFC 8058 §3.2).

        Returns whether the tag was valid and the member still on the list. Raises Unavailable.
        """
        mailing_list = await self._lists.find(name)
        if mailing_list is None:
            return False
        role = ListRole.UNSUBSCRIBE
        member = await member_with_tag(self._lists, mailing_list, number, tag, role)
        return member is not None and await self._lists.leave(name, member.address)
