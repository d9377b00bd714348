"""The next hop of one recipient, found in the directory; nothing is sent anywhere."""

from twisted_mail.delivery.expansion import UNKNOWN, AliasExpansion
from twisted_mail.delivery.route_cache import KeptRoute, RouteCache, find_taker, route_for
from twisted_mail.interfaces import Directory
from twisted_mail.mail.address import Address
from twisted_mail.mail.directory_entry import is_postmaster, postmasters
from twisted_mail.mail.route import LocalRoute, Route, RouteStep, RouteStepKind


class LocalRouter:
    """Routes by the directory alone. Fulfils ``interfaces.Router``.

    ``hostname`` and the domains above it are where its postmaster, and that of no domain, is looked for
    (RFC 5321 §4.1.1.3), and ``domains`` after them, but before all ``postmaster``, if it is an address;
    so is the postmaster of a domain that has none. Each of the ``separators`` may stand between a user
    and a detail.
    """

    def __init__(
        self,
        directory: Directory,
        hostname: str = "",
        domains: tuple[str, ...] = (),
        separators: str = "+",
        postmaster: str = "",
    ) -> None:
        self._directory = directory
        self._hostname = hostname.lower()
        self._separators = separators
        self._postmasters = postmasters(postmaster, hostname, domains)
        self.version = directory.version  # routes depend on nothing else
        self._cache = RouteCache(directory.version)

    async def route(self, recipient: Address) -> Route:
        """Return the route of one recipient. Raises Unavailable."""
        if not recipient.domain:
            return await self._expand(recipient, None)
        found = await self._directory.find(recipient)
        if found is None:
            return await self._expand(recipient, None)
        if found.account is not None:
            return LocalRoute((found.account,))  # where expanding would end too: nearly all mail
        taker = await find_taker(self._directory, self._separators, recipient, found)
        kept = await self._taker_route(taker.address)
        if recipient != taker.address and recipient in kept.followed:
            return await self._expand(recipient, None)  # a loop, which ends at the recipient itself
        return route_for(recipient, taker, kept.route)

    async def _taker_route(self, address: Address) -> KeptRoute:
        """Return the route of what takes mail, the one that is kept or a new one."""
        kept = self._cache.get(address)
        if kept is None:
            version = self.version()
            expansion = AliasExpansion(self._directory, self._separators, self._postmasters)
            kept = KeptRoute(await expansion.route(address), frozenset(expansion.followed))
            self._cache.add(address, kept, version)
        return kept

    async def explain(self, recipient: Address) -> tuple[Route, list[RouteStep]]:
        """Return the route, and the steps by which it was found. Raises Unavailable."""
        steps: list[RouteStep] = []
        return await self._expand(recipient, steps), steps

    async def _expand(self, recipient: Address, steps: list[RouteStep] | None) -> Route:
        if recipient.domain and not await self._is_host_postmaster(recipient):
            expansion = AliasExpansion(self._directory, self._separators, self._postmasters, steps)
            return await expansion.route(recipient)
        if not is_postmaster(recipient.local):
            return UNKNOWN
        return await self._expand_postmaster(recipient, steps)

    async def _is_host_postmaster(self, recipient: Address) -> bool:
        """Return whether this is postmaster@ our own name, which reports give as an address.

        Mail for it is of no domain, unless the name is a domain of ours (RFC 5321 §4.5.1).
        """
        domain = recipient.domain
        is_it = is_postmaster(recipient.local) and domain.lower() == self._hostname
        return is_it and not await self._directory.is_ours(domain)

    async def _expand_postmaster(self, recipient: Address, steps: list[RouteStep] | None) -> Route:
        for postmaster in self._postmasters:
            if await self._directory.is_ours(postmaster.domain):
                if steps is not None:
                    steps.append(
                        RouteStep(0, recipient, RouteStepKind.POSTMASTER, (str(postmaster),))
                    )
                route = (
                    await self.route(postmaster)
                    if steps is None
                    else await self._expand(postmaster, steps)
                )
                if route is not UNKNOWN:
                    return route
        return UNKNOWN
