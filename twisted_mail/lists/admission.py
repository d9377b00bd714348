"""Whether a mailing list takes a message: asked before anything is promised to its sender."""

from twisted_mail.interfaces import MailingListStore
from twisted_mail.lists import message_kind, posting_rules
from twisted_mail.lists.tagged_members import tagged_member
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.mailing_list_definition import ListRole, MailingList
from twisted_mail.mail.outcome import Outcome, Refused
from twisted_mail.mail.route import ListTarget

_NO_SUCH_LIST = Outcome(550, "5.1.1", "There is no such mailing list here")
_NO_SUCH_MEMBER = Outcome(550, "5.1.1", "There is no such member")


class MailingListAdmission:
    """Fulfils ``interfaces.ListAdmission``."""

    def __init__(self, lists: MailingListStore) -> None:
        self._lists = lists

    async def admit(self, envelope: Envelope, target: ListTarget, header: bytes) -> str | None:
        """Return the empty text for a message that is taken, or why it is held; None to drop it.

        Raises Refused and Unavailable.
        """
        mailing_list = await self._lists.find(target.list)
        if mailing_list is None:
            raise Refused(_NO_SUCH_LIST)
        if target.role is ListRole.BOUNCES:
            return await self._admit_bounce(mailing_list, envelope, target, header)
        head = posting_rules.read_post_header(header)
        if target.role is ListRole.POST:
            return await posting_rules.check_post(mailing_list, envelope, head, self._lists)
        # A notice would answer a program, which might answer that: RFC 3834 §2.
        return None if envelope.sender.is_null or head.is_automatic else ""

    async def _admit_bounce(
        self, mailing_list: MailingList, envelope: Envelope, target: ListTarget, header: bytes
    ) -> str | None:
        if await tagged_member(self._lists, mailing_list, target) is None:
            raise Refused(_NO_SUCH_MEMBER)
        head = posting_rules.read_post_header(header)
        is_report = envelope.sender.is_null and not message_kind.is_personal_reply(header, head)
        return "" if is_report else None
