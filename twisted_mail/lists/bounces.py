"""Bounces of members: counted, and too many of them suspend the member."""

from twisted_mail.lists.backend import ListBackend
from twisted_mail.lists.notices import ListNotices
from twisted_mail.mail.mailing_list_definition import BounceRule, MailingList, Member

_DAY, _HOUR = 86400.0, 3600.0


class BounceCount:
    """Counts bounces, and writes to the owners when one suspends a member."""

    def __init__(self, backend: ListBackend, notices: ListNotices) -> None:
        self._lists = backend.lists
        self._journal = backend.journal
        self._notices = notices
        settings = backend.settings
        self._rule = BounceRule(
            settings.max_bounces, settings.bounce_days * _DAY, settings.bounce_hours * _HOUR
        )

    async def count(self, mailing_list: MailingList, member: Member) -> str:
        """Count a bounce of a member; return what was done. Raises Unavailable."""
        status = await self._lists.bounced(mailing_list.name, member.number, self._rule)
        if status.is_new:
            self._journal.warned(mailing_list.name, f"{member.address} is suspended after bounces")
            for owner in mailing_list.owners:
                await self._notices.send(
                    mailing_list, owner, "suspended", member=str(member.address)
                )
        return f"bounce {status.count} of {member.address}"
