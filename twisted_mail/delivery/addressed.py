"""The accounts that a message is for, with the recipients that lead to each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twisted_mail.mail.address import Address
from twisted_mail.mail.route import LocalRoute


@dataclass(frozen=True, slots=True)
class AccountRecipient:
    """A recipient as the client named it, and the detail by which it leads to an account, or none."""

    address: Address
    detail: str = ""


Addressed = Mapping[str, Sequence[AccountRecipient]]


def add_recipient(
    addressed: dict[str, list[AccountRecipient]], address: Address, route: LocalRoute
) -> None:
    """Note the accounts that a recipient leads to."""
    plain, details = AccountRecipient(address), dict(route.details)
    for account in route.accounts:
        detail = details.get(account)
        one = AccountRecipient(address, detail) if detail else plain
        addressed.setdefault(account, []).append(one)


def details_of(addressed: Addressed) -> dict[str, str]:
    """Return the accounts that were addressed by a detail each time, and the first detail of each."""
    return {
        account: recipients[0].detail
        for account, recipients in addressed.items()
        if all(one.detail for one in recipients)
    }
