"""Mailing lists."""

from collections.abc import Sequence
from typing import Protocol

from twisted_mail.mail.address import Address
from twisted_mail.mail.mailing_list_definition import (
    BounceRule,
    BounceStatus,
    ListRole,
    MailingList,
    Member,
    SubscriptionRequest,
)


class MailingListStore(Protocol):
    """The mailing lists, by their names, with their members and requests for membership.

    Every change is durable when the method returns.
    """

    async def find(self, name: str) -> MailingList | None:
        """Return a list, or None where there is none."""

    async def members(self, name: str, after: int, limit: int) -> Sequence[Member]:
        """Return members who are not suspended, in the order of their numbers, those above ``after``."""

    async def member(self, name: str, who: Address | int) -> Member | None:
        """Return the member with an address, or with a number, or None."""

    async def secret(self) -> bytes:
        """Return the secret that signs addresses (see ``lists.verp``)."""

    async def ask(self, name: str, role: ListRole, address: Address) -> str:
        """Record a request to join or leave; return the token that confirms it.

        The token is empty if the same was asked shortly before. Raises Refused for an address that
        cannot join.
        """

    async def confirm(self, name: str, token: str, within: float) -> SubscriptionRequest | None:
        """Do what was asked at most ``within`` seconds ago, and return it; None if nothing was.

        Raises Refused as ``ask`` does.
        """

    async def leave(self, name: str, address: Address) -> bool:
        """Remove a member from a list; return whether they were on it."""

    async def bounced(self, name: str, number: int, rule: BounceRule) -> BounceStatus:
        """Count a bounce of a member."""
