"""The mailing lists of the dialogues."""

from collections.abc import Sequence

from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.mailing_list_definition import (
    BounceRule,
    BounceStatus,
    ListRole,
    MailingList,
    Member,
    SubscriptionRequest,
)


class FixedRolls:
    """One list, news@example.org, with alice and bob. Fulfils ``interfaces.Rolls``."""

    def __init__(self) -> None:
        self._list = MailingList("news@example.org", parse("news@example.org"))
        self._members = [
            Member(1, parse("alice@example.org")),
            Member(2, parse("bob@example.org")),
        ]

    async def find(self, name: str) -> MailingList | None:
        return self._list if name == self._list.name else None

    async def members(self, name: str, after: int, limit: int) -> Sequence[Member]:
        return [one for one in self._members if one.number > after][:limit]

    async def member(self, name: str, who: Address | int) -> Member | None:
        found = [one for one in self._members if who in (one.number, one.address)]
        return found[0] if found else None

    async def secret(self) -> bytes:
        return b"secret"

    async def ask(self, name: str, role: ListRole, address: Address) -> str:
        return "word"

    async def confirm(self, name: str, word: str, within: float) -> SubscriptionRequest | None:
        return None

    async def leave(self, name: str, address: Address) -> bool:
        return False

    async def bounced(self, name: str, number: int, rule: BounceRule) -> BounceStatus:
        return BounceStatus()
