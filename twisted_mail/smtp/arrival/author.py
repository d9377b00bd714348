"""Who a submitted message says it is from: only whom the account that logged in may speak for."""

from twisted_mail.interfaces import Submitter
from twisted_mail.mail import address_list
from twisted_mail.mail.address import Address, parse_domain
from twisted_mail.mail.mime import header
from twisted_mail.mail.outcome import Refused
from twisted_mail.smtp import replies
from twisted_mail.smtp.arrival.arrival import Arrival
from twisted_mail.smtp.session import SmtpSession


async def check_author(arrival: Arrival) -> None:
    """Refuse a message that names an author who is not the one that has logged in.

    A message without return path is looked at in any case: nothing else says whose it is.
    """
    session, submitter = arrival.session, arrival.session.submitter
    if submitter is None:
        return
    if not (session.settings.checks_author or arrival.envelope.sender.is_null):
        return
    names: set[bytes] = set()
    for field in header.fields(arrival.header):
        name = field.name.lower()
        if name not in (b"from", b"sender"):
            continue
        if name in names or not await _is_own(session, submitter, field.value):
            raise Refused(replies.NOT_YOUR_NAME)
        names.add(name)


async def _is_own(session: SmtpSession, submitter: Submitter, value: bytes) -> bool:
    """Return whether a field has addresses, all of which the account that logged in may use."""
    found = [one for one in address_list.parse(header.unfolded(value)) if one.local is not None]
    for one in found:
        if one.domain is None:
            continue  # the name of a group
        await session.wire.yield_to_others()  # there may be thousands, each in a large alias
        address = _address(one.local or b"", one.domain)
        if address is None or not await submitter.may_send_as(address):
            return False
    return any(one.domain is not None for one in found)


def _address(local: bytes, domain: bytes) -> Address | None:
    try:
        return Address(local.decode(), parse_domain(domain.decode()))
    except ValueError:
        return None
