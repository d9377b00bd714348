"""The notices of mailing lists: to those who write to a list's addresses, and to its owners."""

from collections.abc import Mapping

from twisted_mail.interfaces import Clock, Mailer
from twisted_mail.lists.texts import TEXTS
from twisted_mail.mail.address import Address
from twisted_mail.mail.mailing_list_definition import ListRole, MailingList, role_address
from twisted_mail.mail.notice import Notice, text_content
from twisted_mail.mail.outcome import Unavailable

_SENT_BEFORE = "got the same notice shortly before"
_HOUR = 3600.0
_MAX_NOTICE_TIMES = 10_000  # notices that are remembered, so that nobody gets many


class ListNotices:
    """Writes notices from the texts in ``lists.texts``, and sends them."""

    def __init__(self, mailer: Mailer, clock: Clock) -> None:
        self._mailer = mailer
        self._clock = clock
        self._notice_times: dict[tuple[str, str, str], float] = {}

    async def send(
        self,
        mailing_list: MailingList,
        recipient: Address,
        text: str,
        sender: Address | None = None,
        **values: str,
    ) -> str:
        """Send one of the texts, by its name, filled with values; return what was done.

        Without ``sender``, answers go to the list's address for requests. Raises Unavailable.
        """
        subject, body = TEXTS[text]
        filled = {
            "list": mailing_list.name,
            "who": str(recipient),
            "title": mailing_list.title or mailing_list.name,
            **values,
        }
        notice = Notice(
            sender or role_address(mailing_list.address, ListRole.REQUEST),
            recipient,
            subject.format(**filled),
            text_content(body.format(**filled)),
        )
        is_reachable = await self._mailer.send(notice)
        return f"{text}: sent" if is_reachable else "the sender cannot be reached"

    async def send_hourly(
        self, mailing_list: MailingList, recipient: Address, text: str, **values: str
    ) -> str:
        """Send a notice that one address gets once an hour at most: senders are easily forged."""
        now, key = self._clock.now(), (mailing_list.name, str(recipient), text)
        if now - self._notice_times.get(key, -_HOUR) < _HOUR:
            return _SENT_BEFORE
        if len(self._notice_times) >= _MAX_NOTICE_TIMES:
            self._notice_times.clear()
        self._notice_times[key] = now
        return await self.send(mailing_list, recipient, text, None, **values)

    async def send_to_owners(
        self, mailing_list: MailingList, text: str, values: Mapping[str, str]
    ) -> None:
        """Send a notice to all owners. Raises Unavailable when it can be sent to none of them now.

        Where some have it, the others go without: else those would get it again.
        """
        errors: list[Unavailable] = []
        for owner in mailing_list.owners:
            try:
                await self.send(mailing_list, owner, text, None, **values)
            except Unavailable as error:
                errors.append(error)
        if errors and len(errors) == len(mailing_list.owners):
            raise errors[0]
