"""Routes of aliases, kept while the directory stays as it is.

A stranger chooses the detail of a recipient, its letter case, and what stands before the domain of a
catch-all. So what is kept is the route of what takes the mail, ``team`` for ``Team+anything``: an alias
of a thousand addresses is followed once, whatever it is called by.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from twisted_mail.interfaces import Directory
from twisted_mail.mail.address import Address, canonical_text
from twisted_mail.mail.directory_entry import (
    NO_ENTRY,
    DirectoryEntry,
    catch_all_address,
    is_postmaster,
    subaddress_splits,
)
from twisted_mail.mail.mailing_list_definition import ListRole, parse_role, role_address
from twisted_mail.mail.route import NoRoute, ProgramTarget, Route

MAX_KEPT = 50_000  # addresses that were followed for all that is kept, about 0.2 KiB each

_ANY_DETAIL = "\0"  # stands for the detail; no address that was read has one


@dataclass(frozen=True, slots=True)
class Taker:
    """What takes the mail of a recipient, as an address that is the same for all such recipients.

    Its route has ``_ANY_DETAIL`` where that of the recipient has ``detail``.
    """

    address: Address
    detail: str = ""


async def find_taker(
    directory: Directory, separators: str, recipient: Address, found: DirectoryEntry
) -> Taker:
    """Return what takes the mail of an address of ours, in the order of ``expansion``.

    ``found`` is what the directory has at the very address. Raises Unavailable.
    """
    local, domain = canonical_text(recipient.local), recipient.domain
    if found.is_deliverable or is_postmaster(local):
        return Taker(Address(local, domain))

    async def find(user: str) -> DirectoryEntry:
        return await directory.find(Address(user, domain)) or NO_ENTRY

    role = parse_role(local)
    if role is not None and (await find(role[0])).list is not None:
        is_owner = role[1] is ListRole.OWNER  # the only role that leads on
        owners = role_address(Address(role[0], domain), role[1], _ANY_DETAIL)
        return Taker(owners if is_owner else recipient)
    for user, detail in subaddress_splits(recipient.local, separators):
        if (await find(user)).is_deliverable:
            base = canonical_text(recipient.local[: len(user) + 1])
            return Taker(Address(base + _ANY_DETAIL, domain), detail)
    return Taker(catch_all_address(domain))


@dataclass(frozen=True, slots=True)
class KeptRoute:
    """The route of what takes mail, and the addresses that were followed to find it."""

    route: Route
    followed: frozenset[Address]


class RouteCache:
    """Routes by what takes the mail; ``version`` is the directory's."""

    def __init__(self, version: Callable[[], object]) -> None:
        self._version = version
        self._kept_version: object = None
        self._routes: dict[Address, KeptRoute] = {}
        self._size = 0

    def get(self, address: Address) -> KeptRoute | None:
        """Return a route that still holds, or None."""
        version = self._version()
        if version != self._kept_version:
            self._clear()
            self._kept_version = version
        return self._routes.get(address)

    def add(self, address: Address, kept: KeptRoute, version: object) -> None:
        """Keep a route that was found since the directory had a version."""
        if version != self._kept_version or version != self._version():
            return
        if self._size >= MAX_KEPT:
            self._clear()
        self._routes[address] = kept
        self._size += len(kept.followed)

    def _clear(self) -> None:
        self._routes.clear()
        self._size = 0


def route_for(recipient: Address, taker: Taker, route: Route) -> Route:
    """Return the route of a recipient, from that of what takes its mail."""
    if isinstance(route, NoRoute) or not (route.details or route.programs):
        return route

    def restored(program: ProgramTarget) -> ProgramTarget:
        named = recipient if program.recipient == taker.address else program.recipient
        detail = taker.detail if program.detail == _ANY_DETAIL else program.detail
        return ProgramTarget(program.program, named, detail)

    details = [
        (account, taker.detail if detail == _ANY_DETAIL else detail)
        for account, detail in route.details
    ]
    return replace(
        route,
        programs=tuple(dict.fromkeys(map(restored, route.programs))),
        details=tuple(one for one in details if one[1]),
    )
