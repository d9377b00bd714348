"""For which address a copy came: the fields Delivered-To and X-Original-To.

The second is what Postfix calls it; its Delivered-To has the account, which an alias leads to.

Copies share the octets of one file, and a field that differs takes that away. So they are written where
they say something: to accounts that were addressed by another name than their own (an alias, a detail,
another domain). A copy without them came for the account's name.
"""

from collections.abc import Iterable, Mapping, Sequence

from twisted_mail.mail.address import Address
from twisted_mail.mail.route import Routes

MAX_ADDRESSES = 10  # that one copy names
MAX_COPIED = 64 * 1024 * 1024  # octets of one message that are written again for the field's sake
_NAMES = (b"Delivered-To", b"X-Original-To")


def by_fields(routes: Routes, accounts: Iterable[str], size: int) -> Mapping[bytes, list[str]]:
    """Return the accounts by the fields that their copies of ``size`` octets begin with.

    Accounts addressed by the same names share a copy. What is over ``MAX_COPIED`` goes without a field.
    """
    named: dict[str, list[Address]] = {}
    for recipient, route in routes.items():
        for account in route.accounts:
            named.setdefault(account, []).append(recipient)
    found: dict[bytes, list[str]] = {}
    for account in accounts:
        fields = _fields(account, named[account])
        if fields not in found and found and (len(found) + 1) * size > MAX_COPIED:
            fields = b""
        found.setdefault(fields, []).append(account)
    return found


def _fields(account: str, recipients: Sequence[Address]) -> bytes:
    """Return the fields of an account's copy; none where its own name was among the recipients."""
    if any(one.text == account or one.key == account for one in recipients):
        return b""
    named = recipients[:MAX_ADDRESSES]
    return b"".join([b"%s: %s\r\n" % (name, one.text.encode()) for one in named for name in _NAMES])
