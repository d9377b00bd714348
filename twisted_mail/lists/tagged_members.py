"""The member whom a tagged address of a list names (see ``lists.verp``)."""

from twisted_mail.interfaces import MailingListStore
from twisted_mail.lists.verp import VerpSigner, parse_member_detail
from twisted_mail.mail.address import Address
from twisted_mail.mail.mailing_list_definition import ListRole, MailingList, Member
from twisted_mail.mail.route import ListTarget


async def tagged_member(
    lists: MailingListStore, mailing_list: MailingList, target: ListTarget
) -> Member | None:
    """Return the member whom the detail of an address names, if its tag is valid."""
    read = parse_member_detail(target.detail)
    if read is None:
        return None
    return await member_with_tag(lists, mailing_list, *read, target.role)


async def member_with_tag(
    lists: MailingListStore, mailing_list: MailingList, who: Address | int, tag: str, role: ListRole
) -> Member | None:
    """Return the member with an address or number, if the tag is theirs for this role."""
    member = await lists.member(mailing_list.name, who)
    if member is None:
        return None
    signer = VerpSigner(await lists.secret())
    is_valid = signer.is_valid(tag, role.value, mailing_list.name, str(member.number))
    return member if is_valid else None
