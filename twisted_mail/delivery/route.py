"""The next hop of one recipient, found in the directory: aliases expanded, nothing sent anywhere."""

from dataclasses import dataclass, field

from twisted_mail.interfaces import Directory
from twisted_mail.mail.address import Address
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.route import Elsewhere, Here, NoRoute, Route

MAX_DEPTH = 10  # aliases that lead to aliases
MAX_ADDRESSES = 1000  # that one recipient may lead to

UNKNOWN = NoRoute(Outcome(550, "5.1.1", "There is no such mailbox here"))
# Whoever runs this server can mend it, so the sender keeps the mail and tries again.
TOO_DEEP = NoRoute(Outcome(451, "4.3.5", "The aliases of this recipient nest too deeply"))
TOO_MANY = NoRoute(Outcome(451, "4.3.5", "This recipient stands for too many addresses"))


@dataclass(slots=True)
class _Expansion:
    """What one recipient leads to, as far as it has been followed."""

    seen: set[Address]
    accounts: dict[str, None] = field(default_factory=dict)  # in order, each once
    elsewhere: dict[Address, None] = field(default_factory=dict)

    def new(self, addresses: tuple[Address, ...]) -> list[Address]:
        """Return those of the addresses that were not followed before."""
        new = [one for one in dict.fromkeys(addresses) if one not in self.seen]
        self.seen.update(new)
        return new

    def route(self) -> Route:
        if self.elsewhere:
            return Elsewhere(tuple(self.elsewhere), tuple(self.accounts))
        return Here(tuple(self.accounts)) if self.accounts else UNKNOWN


class LocalRouter:
    """Routes by the directory alone. Fulfils ``interfaces.Router``.

    ``hostname`` and the domains above it are where ``<Postmaster>`` without a domain is looked for
    (RFC 5321 §4.1.1.3), and ``domains`` behind them.
    """

    def __init__(
        self, directory: Directory, hostname: str = "", domains: tuple[str, ...] = ()
    ) -> None:
        self._directory = directory
        self._postmasters = tuple(
            Address("postmaster", domain) for domain in (*_and_above(hostname), *domains)
        )

    async def route(self, recipient: Address) -> Route:
        """Return the route of one recipient. Raises Unavailable."""
        if recipient.domain:
            return await self._expand(recipient)
        if recipient.local.lower() != "postmaster":
            return UNKNOWN
        return await self._route_postmaster()

    async def _route_postmaster(self) -> Route:
        for postmaster in self._postmasters:
            if await self._directory.is_ours(postmaster.domain):
                route = await self._expand(postmaster)
                if route is not UNKNOWN:
                    return route
        return UNKNOWN

    async def _expand(self, recipient: Address) -> Route:
        """Follow aliases breadth first: level by level, each address once, so loops end by themselves."""
        expansion = _Expansion({recipient})
        level = [recipient]
        for _ in range(MAX_DEPTH + 1):
            following: list[Address] = []
            for address in level:
                following += expansion.new(await self._step(address, expansion))
                if len(expansion.seen) > MAX_ADDRESSES:
                    return TOO_MANY
            if not following:
                return expansion.route()
            level = following
        return TOO_DEEP

    async def _step(self, address: Address, expansion: _Expansion) -> tuple[Address, ...]:
        """Note what the address is, or return where it leads."""
        if not await self._directory.is_ours(address.domain):
            expansion.elsewhere[address] = None
            return ()
        targets = await self._look_up(address, expansion)
        if targets is None and "+" in address.local:
            plain = Address(address.local.partition("+")[0], address.domain)
            targets = await self._look_up(plain, expansion) if plain.local else None
        return targets or ()

    async def _look_up(self, address: Address, expansion: _Expansion) -> tuple[Address, ...] | None:
        """Return where an address of ours leads: nowhere further for an account, None if unknown."""
        account = await self._directory.account(address)
        if account is not None:
            expansion.accounts[account] = None
            return ()
        return await self._directory.targets(address) or None


def _and_above(hostname: str) -> list[str]:
    """Return a host name and the domains above it, the top-level domain left out."""
    labels = hostname.lower().split(".")
    return [".".join(labels[at:]) for at in range(max(1, len(labels) - 1))] if hostname else []
