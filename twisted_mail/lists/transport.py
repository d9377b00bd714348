"""The desk of the mailing lists: what comes to each of a list's addresses, and what is done with it.

| address | what comes | what is done |
| --- | --- | --- |
| ``list`` | a post | a copy for each member, see ``lists.distribution`` |
| ``list-subscribe`` | a wish | a question back, which the answer confirms |
| ``list-unsubscribe`` | a wish | the same; with a member's own tag, it is done at once |
| ``list-request`` | a command in the subject | as if it had come to the right address, or help |
| ``list-confirm+word`` | an answer | what was asked for; an owner's word about a held post |
| ``list-bounces+member`` | a report | it counts for that member |

What programs have sent is dropped where a letter would answer it: two programs shall not write to each
other for ever (RFC 3834 §2).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from twisted_mail.interfaces import Blocking, MailingListStore
from twisted_mail.lists import message_kind, posting_rules
from twisted_mail.lists.distribution import Distribution
from twisted_mail.lists.settings import ListSettings
from twisted_mail.lists.texts import TEXTS
from twisted_mail.lists.verp import VerpSigner, parse_member_detail
from twisted_mail.mail.address import MAX_LOCAL, Address
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.job import Job
from twisted_mail.mail.mailing_list import (
    JoiningPolicy,
    ListRole,
    MailingList,
    Member,
    role_address,
)
from twisted_mail.mail.outcome import Outcome, Refused, Unavailable
from twisted_mail.mail.route import ListTarget
from twisted_mail.queue.folder import APPROVE, REJECT, JobBlob
from twisted_mail.queue.mailer import Mailer, Notice
from twisted_mail.queue.program import UNKNOWN_PROGRAM, Completion, DeliveryResult

_NO_SUCH_LIST = Outcome(550, "5.1.1", "There is no such mailing list here")
_NO_SUCH_MEMBER = Outcome(550, "5.1.1", "There is no such member")
_FULL = Outcome(452, "4.3.1", "Too many messages wait for the owners of lists")
_DONE = DeliveryResult(Completion.DONE)
_HOUR = 3600.0
_MAX_NOTICE_TIMES = 10_000  # letters that are remembered, so that nobody gets many
_DECISION_CODES = {"a": APPROVE, "r": REJECT}


@dataclass(frozen=True, slots=True)
class HeldPosts:
    """The posts that wait for a word: how many there are, and how to leave one, which may block."""

    count: Callable[[], int]
    decide: Callable[[str, str], None]


class MailingListTransport:
    """Takes and does what comes to lists; fulfils ``Admission`` and ``Doer`` of ``interfaces.queue``."""

    def __init__(
        self,
        rolls: MailingListStore,
        distribution: Distribution,
        post: Mailer,
        blocking: Blocking,
        settings: ListSettings,
        held: HeldPosts,
    ) -> None:
        self._rolls = rolls
        self._distribution = distribution
        self._post = post
        self._blocking = blocking
        self._settings = settings
        self._held = held
        self._notice_times: dict[tuple[str, str, str], float] = {}

    # ------------------------------------------------------------ taking in

    async def admit(self, envelope: Envelope, mail: ListTarget, header: bytes) -> str | None:
        """Return the empty text for a message that is taken, or why it is held; None to drop it.

        Raises Refused and Unavailable.
        """
        to = await self._rolls.find(mail.list)
        if to is None:
            raise Refused(_NO_SUCH_LIST)
        head = posting_rules.read_post_header(header)
        if mail.role is ListRole.POST:
            reason = await posting_rules.check_post(to, envelope, head, self._rolls)
            if reason and self._held.count() >= self._settings.max_held:
                raise Unavailable(_FULL)
            return reason
        if mail.role is ListRole.BOUNCES:
            if await self._member(to, mail) is None:
                raise Refused(_NO_SUCH_MEMBER)
            is_report = envelope.sender.is_null and not message_kind.is_personal_reply(header, head)
            return "" if is_report else None
        is_dropped = envelope.sender.is_null or head.is_automatic
        return None if is_dropped else ""

    async def _member(self, to: MailingList, mail: ListTarget) -> Member | None:
        """Return the member whom a detail names, if its tag is right."""
        read = parse_member_detail(mail.detail)
        member = await self._rolls.member(to.name, read[0]) if read is not None else None
        if read is None or member is None:
            return None
        signer = VerpSigner(await self._rolls.secret())
        is_valid = signer.is_valid(read[1], mail.role.value, to.name, str(member.number))
        return member if is_valid else None

    # ------------------------------------------------------------ doing

    async def deliver(self, parcel: Job, blob: JobBlob) -> DeliveryResult:
        """Do what came to a list's address. Raises Unavailable."""
        mail = parcel.destination
        if not isinstance(mail, ListTarget):
            return UNKNOWN_PROGRAM  # a program that is no more in the configuration
        to = await self._rolls.find(mail.list)
        if to is None:
            return DeliveryResult(Completion.FAILED, "5.1.1", "the mailing list is no more")
        match mail.role:
            case ListRole.POST:
                return await self._distribution.send(to, parcel, blob)
            case ListRole.BOUNCES:
                return await self._record_bounce(to, mail, blob)
            case ListRole.CONFIRM if (
                said := await self._owner_decision(to, mail.detail)
            ) is not None:
                return await self._record_decision(*said)
            case ListRole.CONFIRM:
                return await self._confirm(to, mail.detail)
            case ListRole.REQUEST:
                role = await self._blocking.run(message_kind.parse_command, blob)
                return await self._request_confirmation(to, role, parcel.sender)
            case ListRole.UNSUBSCRIBE if (member := await self._member(to, mail)) is not None:
                return await self._unsubscribe(to, member)
            case _:
                return await self._request_confirmation(to, mail.role, parcel.sender)

    async def _request_confirmation(
        self, to: MailingList, role: ListRole | None, who: Address
    ) -> DeliveryResult:
        """Ask back whoever wants to join or leave, and help others."""
        if role is None:
            return await self._send_notice_once(to, who, "help")
        if role is ListRole.SUBSCRIBE and to.joining is JoiningPolicy.CLOSED:
            return await self._send_notice_once(to, who, "closed")
        try:
            word = await self._rolls.ask(to.name, role, who)
        except Refused as refused:
            return await self._send_notice_once(to, who, "cannot", reason=refused.outcome.text)
        if not word:
            return DeliveryResult(Completion.DONE, reason="was asked shortly before")
        sender = role_address(to.address, ListRole.CONFIRM, word)
        return await self._send_notice(to, who, f"confirm {role.value}", sender)

    async def _owner_decision(self, to: MailingList, detail: str) -> tuple[str, str] | None:
        """Return the parcel and the word of an owner's answer; None where it is something else."""
        sign, _, rest = detail.partition("=")
        id, _, tag = rest.partition("=")
        word = _DECISION_CODES.get(sign.lower())
        if word is None:
            return None
        is_valid = VerpSigner(await self._rolls.secret()).is_valid(tag, word, to.name, id)
        return (id.lower(), word) if is_valid else None

    async def _record_decision(self, id: str, word: str) -> DeliveryResult:
        try:
            await self._blocking.run(self._held.decide, id, word)
        except OSError as error:
            raise Unavailable("The word cannot be kept now") from error
        return DeliveryResult(Completion.DONE, reason=f"{word} {id}")

    async def _confirm(self, to: MailingList, word: str) -> DeliveryResult:
        try:
            done = await self._rolls.confirm(to.name, word, self._settings.confirm_days * 86400)
        except Refused as refused:
            return DeliveryResult(Completion.DONE, reason=refused.outcome.text)
        if done is None:
            return DeliveryResult(Completion.DONE, reason="nothing was asked, or long ago")
        return await self._send_notice(to, done.address, f"done {done.role.value}")

    async def _unsubscribe(self, to: MailingList, member: Member) -> DeliveryResult:
        await self._rolls.leave(to.name, member.address)
        return await self._send_notice(to, member.address, f"done {ListRole.UNSUBSCRIBE.value}")

    async def unsubscribe(self, name: str, number: int, tag: str) -> bool:
        """Take a member off a list by the tag of its List-Unsubscribe page (RFC 8058 §3.2)."""
        to = await self._rolls.find(name)
        member = await self._rolls.member(name, number) if to is not None else None
        if to is None or member is None:
            return False
        signer = VerpSigner(await self._rolls.secret())
        if not signer.is_valid(tag, ListRole.UNSUBSCRIBE.value, to.name, str(number)):
            return False
        return await self._rolls.leave(name, member.address)

    async def _record_bounce(
        self, to: MailingList, mail: ListTarget, blob: JobBlob
    ) -> DeliveryResult:
        member = await self._member(to, mail)
        if member is None or not await self._blocking.run(message_kind.reports_failure, blob):
            return DeliveryResult(Completion.DONE, reason="this is no failure of a member")
        return await self._distribution.count(to, member)

    # ------------------------------------------------------------ letters

    async def notify_moderators(self, parcel: Job, blob: JobBlob) -> None:
        """Tell a list's owners that a post is held. Raises Unavailable when none can be told now."""
        mail = parcel.destination
        to = await self._rolls.find(mail.list) if isinstance(mail, ListTarget) else None
        if to is not None:
            values = {
                "id": parcel.id,
                "author": str(parcel.sender),
                "subject": await self._blocking.run(message_kind.subject, blob),
                "reason": parcel.reason,
                "ways": await self._decision_addresses(to, parcel.id),
            }
            await self._notify_owners(to, values)

    async def _notify_owners(self, to: MailingList, values: Mapping[str, str]) -> None:
        troubles: list[Unavailable] = []
        for owner in to.owners:
            try:
                await self._send_notice(to, owner, "held", None, **values)
            except Unavailable as error:
                troubles.append(error)
        if troubles and len(troubles) == len(to.owners):  # else some would be told once more
            raise troubles[0]

    async def _decision_addresses(self, to: MailingList, id: str) -> str:
        """Return the addresses by which owners say a word, where these are not too long."""
        signer = VerpSigner(await self._rolls.secret())
        addresses = {
            word: role_address(
                to.address, ListRole.CONFIRM, f"{sign}={id}={signer.tag(word, to.name, id)}"
            )
            for sign, word in _DECISION_CODES.items()
        }
        if any(len(one.local) > MAX_LOCAL for one in addresses.values()):
            return ""
        lines = [f"    {word:8} {address}\n" for word, address in addresses.items()]
        return "\nOr write a letter, which may be empty, to one of these addresses:\n\n" + "".join(
            lines
        )

    async def _send_notice_once(
        self, to: MailingList, who: Address, what: str, **values: str
    ) -> DeliveryResult:
        """Send a letter that somebody gets once an hour at most: senders are easily forged."""
        now, mark = self._post.now(), (to.name, str(who), what)
        if now - self._notice_times.get(mark, -_HOUR) < _HOUR:
            return DeliveryResult(Completion.DONE, reason="has been told shortly before")
        if len(self._notice_times) >= _MAX_NOTICE_TIMES:
            self._notice_times.clear()
        self._notice_times[mark] = now
        return await self._send_notice(to, who, what, None, **values)

    async def _send_notice(
        self,
        to: MailingList,
        who: Address,
        what: str,
        sender: Address | None = None,
        **values: str,
    ) -> DeliveryResult:
        """Send somebody one of the letters of lists."""
        subject, body = TEXTS[what]
        words = {"list": to.name, "who": str(who), "title": to.title or to.name, **values}
        letter = Notice(
            sender or role_address(to.address, ListRole.REQUEST),
            who,
            subject.format(**words),
            body.format(**words),
        )
        is_sent = await self._post.send(letter)
        return (
            _DONE
            if is_sent
            else DeliveryResult(Completion.DONE, reason="who wrote cannot be reached")
        )
