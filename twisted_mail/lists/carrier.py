"""What is done with the mail that comes to a list's addresses.

| address | what comes | what is done |
| --- | --- | --- |
| ``list`` | a post | jobs for the members, see ``lists.distribution`` |
| ``list-subscribe`` | a request | a question back, which the answer confirms |
| ``list-unsubscribe`` | a request | the same; with a member's own tag, it is done at once |
| ``list-request`` | a command in the subject | as if it had come to the right address, or help |
| ``list-confirm+token`` | an answer | what was asked for; an owner's decision about a held post |
| ``list-bounces+member`` | a report | it counts for that member |

What programs have sent is dropped where a notice would answer it: two programs must not write to each
other for ever (RFC 3834 §2).
"""

from twisted_mail.interfaces import Site, Work
from twisted_mail.lists import message_kind
from twisted_mail.lists.backend import ListBackend
from twisted_mail.lists.bounces import BounceCount
from twisted_mail.lists.distribution import Distribution
from twisted_mail.lists.held_posts import HeldPosts
from twisted_mail.lists.moderation import ListModeration
from twisted_mail.lists.notices import ListNotices
from twisted_mail.lists.tagged_members import member_with_tag, tagged_member
from twisted_mail.mail.address import Address
from twisted_mail.mail.mailing_list_definition import (
    JoiningPolicy,
    ListRole,
    MailingList,
    Member,
    role_address,
)
from twisted_mail.mail.message import Blob
from twisted_mail.mail.outcome import MailError, Outcome, Refused
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import LIST, Destination
from twisted_mail.mail.queued.job import OwedRecipient, Transaction
from twisted_mail.mail.route import ListTarget

READ_SECONDS = 5.0  # within which the first message is read from the queue
_NO_LIST = Outcome(550, "5.1.1", "the mailing list does not exist any more")
_DAY = 86400.0


class ListCarrier:
    """Brings mail to mailing lists. Fulfils ``interfaces.Carrier``."""

    name = LIST

    def __init__(self, backend: ListBackend, dead_seconds: float = 30 * _DAY) -> None:
        self._lists = backend.lists
        self._blocking = backend.blocking
        self._clock = backend.clock
        self._confirm_seconds = backend.settings.confirm_days * _DAY
        self._notices = ListNotices(backend.mailer, backend.clock)
        self._bounces = BounceCount(backend, self._notices)
        self._moderation = ListModeration(backend, self._notices)
        self.distribution = Distribution(backend, self._bounces)
        self.held_posts = HeldPosts(backend, self._moderation, dead_seconds)

    async def site(self, destination: Destination) -> Site | Attempt:
        """Return the site of a list: itself."""
        return Site(LIST, destination.name)

    async def serve(self, site: Site, work: Work) -> None:
        """Do what came to a list's addresses, one message after the other."""
        transaction = await work.wait(READ_SECONDS)
        while transaction is not None:
            for recipient in transaction.recipients:
                attempt = await self._attempt(transaction, recipient, work)
                if attempt is None:
                    return
                work.done(transaction, {recipient.number: attempt})
            transaction = work.next()

    async def _attempt(
        self, transaction: Transaction, recipient: OwedRecipient, work: Work
    ) -> Attempt | None:
        """Return how it ended; None where the server stops before it has."""
        try:
            done = await self._carry_out(transaction, recipient, work)
        except MailError as error:
            return Attempt(error.outcome, self._clock.now())
        return None if done is None else Attempt(Outcome(250, "2.0.0", done), self._clock.now())

    async def _carry_out(
        self, transaction: Transaction, recipient: OwedRecipient, work: Work
    ) -> str | None:
        """Do what came to a list's address; return what that was. Raises Refused and Unavailable."""
        target, blob = recipient.target, transaction.message.blob
        assert isinstance(target, ListTarget), "transactions come by the name of the carrier"
        mailing_list = await self._lists.find(target.list)
        if mailing_list is None:
            raise Refused(_NO_LIST)
        match target.role:
            case ListRole.POST:
                return await self.distribution.send(mailing_list, transaction, recipient, work)
            case ListRole.BOUNCES:
                return await self._record_bounce(mailing_list, target, blob)
            case ListRole.CONFIRM:
                return await self._take_answer(mailing_list, target.detail)
            case ListRole.REQUEST:
                role = await self._blocking.run(message_kind.parse_command, blob)
                return await self._request_confirmation(mailing_list, role, transaction.sender)
            case ListRole.UNSUBSCRIBE if member := await tagged_member(
                self._lists, mailing_list, target
            ):
                return await self._unsubscribe(mailing_list, member)
            case role:
                return await self._request_confirmation(mailing_list, role, transaction.sender)

    async def _record_bounce(
        self, mailing_list: MailingList, target: ListTarget, blob: Blob
    ) -> str:
        member = await tagged_member(self._lists, mailing_list, target)
        if member is None or not await self._blocking.run(message_kind.reports_failure, blob):
            return "this is no failure of a member"
        return await self._bounces.count(mailing_list, member)

    # ------------------------------------------------------------ joining and leaving

    async def _request_confirmation(
        self, mailing_list: MailingList, role: ListRole | None, requester: Address
    ) -> str:
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
            return "was asked shortly before"
        sender = role_address(mailing_list.address, ListRole.CONFIRM, token)
        return await self._notices.send(mailing_list, requester, f"confirm {role.value}", sender)

    async def _take_answer(self, mailing_list: MailingList, detail: str) -> str:
        decided = await self._moderation.read_decision(mailing_list, detail)
        if decided is None:
            return await self._confirm(mailing_list, detail)
        id, decision = decided
        await self.held_posts.decide(mailing_list.name, id, decision)
        return f"{decision.value} {id}"

    async def _confirm(self, mailing_list: MailingList, token: str) -> str:
        try:
            done = await self._lists.confirm(mailing_list.name, token, self._confirm_seconds)
        except Refused as refused:
            return refused.outcome.text
        if done is None:
            return "nothing was asked, or long ago"
        return await self._notices.send(mailing_list, done.address, f"done {done.role.value}")

    async def _unsubscribe(self, mailing_list: MailingList, member: Member) -> str:
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
