"""Moderation by mail: the notice of a held post, and the owners' answers.

The notice names two addresses, ``list-confirm+a=ID=TAG`` to approve and ``r=ID=TAG`` to reject; a
message to one of them is the decision. The tag is made with the list's secret (see ``lists.verp``).
"""

from twisted_mail.interfaces import MailingListStore
from twisted_mail.lists import message_kind
from twisted_mail.lists.backend import ListBackend
from twisted_mail.lists.notices import ListNotices
from twisted_mail.lists.verp import VerpSigner
from twisted_mail.mail.address import PORTABLE_LOCAL
from twisted_mail.mail.delivery_result import Completion, DeliveryResult
from twisted_mail.mail.job import APPROVE, REJECT, Job
from twisted_mail.mail.mailing_list_definition import ListRole, MailingList, role_address
from twisted_mail.mail.message import Blob
from twisted_mail.mail.route import ListTarget

_DECISIONS = {"a": APPROVE, "r": REJECT}


class ListModeration:
    """Asks the owners of a list about held posts. Fulfils ``interfaces.Moderation``."""

    def __init__(self, backend: ListBackend, notices: ListNotices) -> None:
        self._backend = backend
        self._notices = notices

    async def notify_moderators(self, job: Job, blob: Blob) -> None:
        """Write to a list's owners that a post is held. Raises Unavailable if none is reached."""
        target = job.target
        if not isinstance(target, ListTarget):
            return
        mailing_list = await self._backend.lists.find(target.list)
        if mailing_list is None:
            return
        values = {
            "id": job.id,
            "author": str(job.sender),
            "subject": await self._backend.blocking.run(message_kind.subject, blob),
            "reason": job.reason,
            "ways": await _decision_addresses(self._backend.lists, mailing_list, job.id),
        }
        await self._notices.send_to_owners(mailing_list, "held", values)

    async def read_decision(self, mailing_list: MailingList, detail: str) -> tuple[str, str] | None:
        """Return job and decision that the detail of an address names; None if it is another's."""
        sign, _, rest = detail.partition("=")
        id, _, tag = rest.partition("=")
        decision = _DECISIONS.get(sign.lower())
        if decision is None:
            return None
        signer = VerpSigner(await self._backend.lists.secret())
        is_valid = signer.is_valid(tag, decision, mailing_list.name, id)
        return (id.lower(), decision) if is_valid else None

    async def record_decision(self, id: str, decision: str) -> DeliveryResult:
        """Record a decision about a held post. Raises Unavailable."""
        await self._backend.held.decide(id, decision)
        return DeliveryResult(Completion.DONE, reason=f"{decision} {id}")


async def _decision_addresses(lists: MailingListStore, mailing_list: MailingList, id: str) -> str:
    """Return the lines with the two addresses; none where these would be too long."""
    signer = VerpSigner(await lists.secret())
    addresses = {
        decision: role_address(
            mailing_list.address,
            ListRole.CONFIRM,
            f"{sign}={id}={signer.tag(decision, mailing_list.name, id)}",
        )
        for sign, decision in _DECISIONS.items()
    }
    if any(len(one.local) > PORTABLE_LOCAL for one in addresses.values()):
        return ""
    lines = [f"    {decision:8} {address}\n" for decision, address in addresses.items()]
    intro = "\nOr write a letter, which may be empty, to one of these addresses:\n\n"
    return intro + "".join(lines)
