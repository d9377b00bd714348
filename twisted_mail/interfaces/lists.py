"""Mailing lists."""

from collections.abc import Sequence
from typing import Protocol

from twisted_mail.mail.address import Address
from twisted_mail.mail.mailing_list import (
    BounceRule,
    BounceStatus,
    ListRole,
    MailingList,
    Member,
    SubscriptionRequest,
)


class MailingListStore(Protocol):
    """Who is on the mailing lists, and who wants to be. Lists are called by their names.

    What alters something is durable when it returns.
    """

    async def find(self, name: str) -> MailingList | None:
        """Return a list, or None where there is none."""

    async def members(self, name: str, after: int, limit: int) -> Sequence[Member]:
        """Return members who are sent to, in the order of their numbers, those above ``after``."""

    async def member(self, name: str, who: Address | int) -> Member | None:
        """Return the member with an address, or with a number, or None."""

    async def secret(self) -> bytes:
        """Return the secret by which addresses that we have made are known again."""

    async def ask(self, name: str, role: ListRole, address: Address) -> str:
        """Note that somebody wants to join or leave; return the word that confirms it.

        The word is empty where this was asked shortly before. Raises Refused for who cannot join.
        """

    async def confirm(self, name: str, word: str, within: float) -> SubscriptionRequest | None:
        """Do what was asked no longer than ``within`` seconds ago, and return it; None if nothing was.

        Raises Refused as ``ask`` does.
        """

    async def leave(self, name: str, address: Address) -> bool:
        """Take a member off a list; say whether they were on it."""

    async def bounced(self, name: str, number: int, rule: BounceRule) -> BounceStatus:
        """Count a bounce of a member."""
