"""The desk of the mailing lists: what comes to each of a list's addresses, and what is done with it.

| address | what comes | what is done |
| --- | --- | --- |
| ``list`` | a post | a copy for each member, see ``delivery.distribution`` |
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

from twisted_mail.delivery import contents, posting
from twisted_mail.delivery.distribution import Distribution
from twisted_mail.delivery.letters import Letter, Post
from twisted_mail.delivery.listtexts import TEXTS
from twisted_mail.delivery.parcel import Parcel
from twisted_mail.delivery.parcels import APPROVE, REJECT, ParcelBlob
from twisted_mail.delivery.program import UNKNOWN, Ended, Result
from twisted_mail.delivery.settings import ListSettings
from twisted_mail.delivery.tags import Signer, read_member
from twisted_mail.interfaces import Blocking, Rolls
from twisted_mail.mail.address import MAX_LOCAL, Address
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.mailing_list import Joining, MailingList, Member, Role, role_address
from twisted_mail.mail.outcome import Outcome, Refused, Unavailable
from twisted_mail.mail.route import ListMail

_GONE = Outcome(550, "5.1.1", "There is no such mailing list here")
_NOT_OURS = Outcome(550, "5.1.1", "There is no such member")
_FULL = Outcome(452, "4.3.1", "Too many messages wait for the owners of lists")
_DONE = Ended(Result.DONE)
_HOUR = 3600.0
_MAX_INFORMED = 10_000  # letters that are remembered, so that nobody gets many
_WORDS = {"a": APPROVE, "r": REJECT}


@dataclass(frozen=True, slots=True)
class Held:
    """The posts that wait for a word: how many there are, and how to leave one, which may block."""

    count: Callable[[], int]
    say: Callable[[str, str], None]


class ListDesk:
    """Takes and does what comes to lists; fulfils ``Admission`` and ``Doer`` of ``delivery.doers``."""

    def __init__(
        self,
        rolls: Rolls,
        distribution: Distribution,
        post: Post,
        blocking: Blocking,
        settings: ListSettings,
        held: Held,
    ) -> None:
        self._rolls = rolls
        self._distribution = distribution
        self._post = post
        self._blocking = blocking
        self._settings = settings
        self._held = held
        self._informed: dict[tuple[str, str, str], float] = {}

    # ------------------------------------------------------------ taking in

    async def admit(self, envelope: Envelope, mail: ListMail, header: bytes) -> str | None:
        """Return the empty text for a message that is taken, or why it is held; None to drop it.

        Raises Refused and Unavailable.
        """
        to = await self._rolls.find(mail.list)
        if to is None:
            raise Refused(_GONE)
        head = posting.read(header)
        if mail.role is Role.POST:
            reason = await posting.judged(to, envelope, head, self._rolls)
            if reason and self._held.count() >= self._settings.max_held:
                raise Unavailable(_FULL)
            return reason
        if mail.role is Role.BOUNCES:
            if await self._member(to, mail) is None:
                raise Refused(_NOT_OURS)
            is_report = envelope.sender.is_null and not contents.is_human_answer(header, head)
            return "" if is_report else None
        is_dropped = envelope.sender.is_null or head.is_automatic
        return None if is_dropped else ""

    async def _member(self, to: MailingList, mail: ListMail) -> Member | None:
        """Return the member whom a detail names, if its tag is right."""
        read = read_member(mail.detail)
        member = await self._rolls.member(to.name, read[0]) if read is not None else None
        if read is None or member is None:
            return None
        signer = Signer(await self._rolls.secret())
        is_right = signer.is_right(read[1], mail.role.value, to.name, str(member.number))
        return member if is_right else None

    # ------------------------------------------------------------ doing

    async def do(self, parcel: Parcel, blob: ParcelBlob) -> Ended:
        """Do what came to a list's address. Raises Unavailable."""
        mail = parcel.errand
        if not isinstance(mail, ListMail):
            return UNKNOWN  # a program that is no more in the configuration
        to = await self._rolls.find(mail.list)
        if to is None:
            return Ended(Result.FAILED, "5.1.1", "the mailing list is no more")
        match mail.role:
            case Role.POST:
                return await self._distribution.send(to, parcel, blob)
            case Role.BOUNCES:
                return await self._bounced(to, mail, blob)
            case Role.CONFIRM if (said := await self._word(to, mail.detail)) is not None:
                return await self._pass_on(*said)
            case Role.CONFIRM:
                return await self._confirmed(to, mail.detail)
            case Role.REQUEST:
                role = await self._blocking.run(contents.command, blob)
                return await self._wish(to, role, parcel.sender)
            case Role.UNSUBSCRIBE if (member := await self._member(to, mail)) is not None:
                return await self._leave(to, member)
            case _:
                return await self._wish(to, mail.role, parcel.sender)

    async def _wish(self, to: MailingList, role: Role | None, who: Address) -> Ended:
        """Ask back whoever wants to join or leave, and help others."""
        if role is None:
            return await self._inform(to, who, "help")
        if role is Role.SUBSCRIBE and to.joining is Joining.CLOSED:
            return await self._inform(to, who, "closed")
        try:
            word = await self._rolls.ask(to.name, role, who)
        except Refused as refused:
            return await self._inform(to, who, "cannot", reason=refused.outcome.text)
        if not word:
            return Ended(Result.DONE, reason="was asked shortly before")
        sender = role_address(to.address, Role.CONFIRM, word)
        return await self._tell(to, who, f"confirm {role.value}", sender)

    async def _word(self, to: MailingList, detail: str) -> tuple[str, str] | None:
        """Return the parcel and the word of an owner's answer; None where it is something else."""
        sign, _, rest = detail.partition("=")
        id, _, tag = rest.partition("=")  # noqa: A001
        word = _WORDS.get(sign.lower())
        if word is None:
            return None
        is_right = Signer(await self._rolls.secret()).is_right(tag, word, to.name, id)
        return (id.lower(), word) if is_right else None

    async def _pass_on(self, id: str, word: str) -> Ended:  # noqa: A002
        try:
            await self._blocking.run(self._held.say, id, word)
        except OSError as error:
            raise Unavailable("The word cannot be kept now") from error
        return Ended(Result.DONE, reason=f"{word} {id}")

    async def _confirmed(self, to: MailingList, word: str) -> Ended:
        try:
            done = await self._rolls.answer(to.name, word, self._settings.confirm_days * 86400)
        except Refused as refused:
            return Ended(Result.DONE, reason=refused.outcome.text)
        if done is None:
            return Ended(Result.DONE, reason="nothing was asked, or long ago")
        return await self._tell(to, done.address, f"done {done.role.value}")

    async def _leave(self, to: MailingList, member: Member) -> Ended:
        await self._rolls.leave(to.name, member.address)
        return await self._tell(to, member.address, f"done {Role.UNSUBSCRIBE.value}")

    async def unsubscribe(self, name: str, number: int, tag: str) -> bool:
        """Take a member off a list by the tag of its List-Unsubscribe page (RFC 8058 §3.2)."""
        to = await self._rolls.find(name)
        member = await self._rolls.member(name, number) if to is not None else None
        if to is None or member is None:
            return False
        signer = Signer(await self._rolls.secret())
        if not signer.is_right(tag, Role.UNSUBSCRIBE.value, to.name, str(number)):
            return False
        return await self._rolls.leave(name, member.address)

    async def _bounced(self, to: MailingList, mail: ListMail, blob: ParcelBlob) -> Ended:
        member = await self._member(to, mail)
        if member is None or not await self._blocking.run(contents.says_failed, blob):
            return Ended(Result.DONE, reason="this is no failure of a member")
        return await self._distribution.count(to, member)

    # ------------------------------------------------------------ letters

    async def tell_held(self, parcel: Parcel, blob: ParcelBlob) -> None:
        """Tell a list's owners that a post is held. Raises Unavailable when none can be told now."""
        mail = parcel.errand
        to = await self._rolls.find(mail.list) if isinstance(mail, ListMail) else None
        if to is not None:
            values = {
                "id": parcel.id,
                "author": str(parcel.sender),
                "subject": await self._blocking.run(contents.subject, blob),
                "reason": parcel.reason,
                "ways": await self._ways(to, parcel.id),
            }
            await self._tell_owners(to, values)

    async def _tell_owners(self, to: MailingList, values: Mapping[str, str]) -> None:
        troubles: list[Unavailable] = []
        for owner in to.owners:
            try:
                await self._tell(to, owner, "held", None, **values)
            except Unavailable as error:
                troubles.append(error)
        if troubles and len(troubles) == len(to.owners):  # else some would be told once more
            raise troubles[0]

    async def _ways(self, to: MailingList, id: str) -> str:  # noqa: A002
        """Return the addresses by which owners say a word, where these are not too long."""
        signer = Signer(await self._rolls.secret())
        addresses = {
            word: role_address(
                to.address, Role.CONFIRM, f"{sign}={id}={signer.tag(word, to.name, id)}"
            )
            for sign, word in _WORDS.items()
        }
        if any(len(one.local) > MAX_LOCAL for one in addresses.values()):
            return ""
        lines = [f"    {word:8} {address}\n" for word, address in addresses.items()]
        return "\nOr write a letter, which may be empty, to one of these addresses:\n\n" + "".join(
            lines
        )

    async def _inform(self, to: MailingList, who: Address, what: str, **values: str) -> Ended:
        """Send a letter that somebody gets once an hour at most: senders are easily forged."""
        now, mark = self._post.now(), (to.name, str(who), what)
        if now - self._informed.get(mark, -_HOUR) < _HOUR:
            return Ended(Result.DONE, reason="has been told shortly before")
        if len(self._informed) >= _MAX_INFORMED:
            self._informed.clear()
        self._informed[mark] = now
        return await self._tell(to, who, what, None, **values)

    async def _tell(
        self,
        to: MailingList,
        who: Address,
        what: str,
        sender: Address | None = None,
        **values: str,
    ) -> Ended:
        """Send somebody one of the letters of lists."""
        subject, body = TEXTS[what]
        words = {"list": to.name, "who": str(who), "title": to.title or to.name, **values}
        letter = Letter(
            sender or role_address(to.address, Role.REQUEST),
            who,
            subject.format(**words),
            body.format(**words),
        )
        is_sent = await self._post.send(letter)
        return _DONE if is_sent else Ended(Result.DONE, reason="who wrote cannot be reached")
