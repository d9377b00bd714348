"""Who a submitted message says it is from: only whom the account that logged in may speak for.

Readers show what stands in From, and differ in what they make of a malformed one. So what is not exactly
a list of addresses is refused (``strict_addresses``); what stands in it has to be the account's.
"""

from collections.abc import Sequence
from functools import lru_cache

from twisted_mail.interfaces import Submitter
from twisted_mail.mail.address import Address
from twisted_mail.mail.mime import header, strict_addresses
from twisted_mail.mail.outcome import Refused
from twisted_mail.smtp import replies
from twisted_mail.smtp.arrival.arrival import Arrival
from twisted_mail.smtp.session import SmtpSession

_FIELDS = {
    b"from": "From",
    b"sender": "Sender",
    b"resent-from": "Resent-From",
    b"resent-sender": "Resent-Sender",
}
SHORT = 200  # octets of a field that is remembered when it was read ...
REMEMBERED = 1_000  # ... and so many of them

_OF_ONE = frozenset((b"sender", b"resent-sender"))  # RFC 5322 §3.6.2, §3.6.6
_ONCE = frozenset((b"from", b"sender"))  # RFC 5322 §3.6


async def check_author(arrival: Arrival) -> None:
    """Refuse a message that names an author who is not the one that has logged in.

    A message without return path is looked at in any case: nothing else says whose it is. Raises Refused.
    """
    session, submitter = arrival.session, arrival.session.submitter
    if submitter is None:
        return
    if not (session.settings.checks_author or arrival.envelope.sender.is_null):
        return
    seen: set[bytes] = set()
    for field in header.fields(arrival.header):
        name = field.name.strip().lower()
        if name not in _FIELDS:
            continue
        if name in seen and name in _ONCE:
            raise Refused(replies.field_twice(_FIELDS[name]))
        seen.add(name)
        await _check_field(session, submitter, name, field.value)


async def _check_field(
    session: SmtpSession, submitter: Submitter, name: bytes, value: bytes
) -> None:
    """Refuse a field that has an address which the account may not use, or none."""
    addresses = _addresses(value)
    if not addresses or (name in _OF_ONE and len(addresses) > 1):
        raise Refused(replies.unreadable_author(_FIELDS[name]))
    for address in addresses:
        await session.wire.yield_to_others()  # there may be thousands, each in a large alias
        if not await submitter.may_send_as(address):
            raise Refused(replies.not_your_name(_FIELDS[name]))


def _addresses(value: bytes) -> Sequence[Address]:
    """Return the addresses of a field; none where it is not exactly a list of them."""
    return _remembered(value) if len(value) <= SHORT else _read(value)


def _read(value: bytes) -> Sequence[Address]:
    try:
        return tuple(strict_addresses.parse(header.unfolded(value)))
    except ValueError:
        return ()


# Who writes mail is called the same in each, and to read that takes 15 us.
_remembered = lru_cache(REMEMBERED)(_read)
