"""Moderation by mail: the notice of a held post, and the owners' answers.

The notice names two addresses, ``list-confirm+a=ID=TAG`` to approve and ``r=ID=TAG`` to reject; a
message to one of them is the decision. The tag is made with the list's secret (see ``lists.verp``).
"""

from enum import Enum

from twisted_mail.interfaces import HeldRecipient, MailingListStore
from twisted_mail.lists import message_kind
from twisted_mail.lists.backend import ListBackend
from twisted_mail.lists.notices import ListNotices
from twisted_mail.lists.verp import VerpSigner
from twisted_mail.mail.address import PORTABLE_LOCAL
from twisted_mail.mail.mailing_list_definition import ListRole, MailingList, role_address
from twisted_mail.mail.message import Blob


class PostDecision(Enum):
    """What a moderator may decide about a held post."""

    APPROVE = "approve"
    REJECT = "reject"


_DECISIONS = {"a": PostDecision.APPROVE, "r": PostDecision.REJECT}


class ListModeration:
    """Asks the owners of a list about held posts, and reads their answers."""

    def __init__(self, backend: ListBackend, notices: ListNotices) -> None:
        self._backend = backend
        self._notices = notices

    async def notify_moderators(self, held: HeldRecipient, blob: Blob) -> None:
        """Write to a list's owners that a post is held. Raises Unavailable if none is reached."""
        job, recipient = held.job, held.recipient
        mailing_list = await self._backend.lists.find(recipient.destination.name)
        if mailing_list is None:
            return
        values = {
            "id": job.id,
            "author": str(job.sender),
            "subject": await self._backend.blocking.run(message_kind.subject, blob),
            "reason": recipient.reason,
            "ways": await _decision_addresses(self._backend.lists, mailing_list, job.id),
        }
        await self._notices.send_to_owners(mailing_list, "held", values)

    async def read_decision(
        self, mailing_list: MailingList, detail: str
    ) -> tuple[str, PostDecision] | None:
        """Return job and decision that the detail of an address names; None if it is another's."""
        sign, _, rest = detail.partition("=")
        id, _, tag = rest.partition("=")
        decision = _DECISIONS.get(sign.lower())
        if decision is None:
            return None
        signer = VerpSigner(await self._backend.lists.secret())
        is_valid = signer.is_valid(tag, decision.value, mailing_list.name, id)
        return (id.lower(), decision) if is_valid else None


async def _decision_addresses(lists: MailingListStore, mailing_list: MailingList, id: str) -> str:
    """Return the lines with the two addresses; none where these would be too long."""
    signer = VerpSigner(await lists.secret())
    addresses = {
        decision.value: role_address(
            mailing_list.address,
            ListRole.CONFIRM,
            f"{sign}={id}={signer.tag(decision.value, mailing_list.name, id)}",
        )
        for sign, decision in _DECISIONS.items()
    }
    if any(len(one.local) > PORTABLE_LOCAL for one in addresses.values()):
        return ""
    lines = [f"    {decision:8} {address}\n" for decision, address in addresses.items()]
    intro = "\nOr write a letter, which may be empty, to one of these addresses:\n\n"
    return intro + "".join(lines)
