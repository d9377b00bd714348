"""What one recipient stands for: aliases, subaddresses and lists followed to where mail can be put.

At each address of ours these are looked for, and the first that is there counts:

1. what stands under the very address: an account, an alias, a mailing list;
2. a list's other addresses: ``list-owner``, ``list-request``, ``list-bounces+...``;
3. what stands before a separator: ``alice`` for ``alice+lists``;
4. what takes the rest of the domain's mail.
"""

from dataclasses import dataclass

from twisted_mail.interfaces import Directory
from twisted_mail.mail.address import Address
from twisted_mail.mail.directory_entry import (
    NO_ENTRY,
    DirectoryEntry,
    catch_all_address,
    subaddress_splits,
)
from twisted_mail.mail.mailing_list import ListRole, parse_role
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.route import (
    ListTarget,
    LocalRoute,
    NoRoute,
    ProgramTarget,
    RemoteRoute,
    Route,
    RouteStep,
    RouteStepKind,
)

MAX_DEPTH = 10  # aliases that lead to aliases
MAX_ADDRESSES = 1000  # that one recipient may lead to

UNKNOWN = NoRoute(Outcome(550, "5.1.1", "There is no such mailbox here"))
# Whoever runs this server can mend it, so the sender keeps the mail and tries again.
TOO_DEEP = NoRoute(Outcome(451, "4.3.5", "The aliases of this recipient nest too deeply"))
TOO_MANY = NoRoute(Outcome(451, "4.3.5", "This recipient stands for too many addresses"))


@dataclass(frozen=True, slots=True)
class PendingAddress:
    """An address to follow, the detail that led there, and the number of aliases before it."""

    address: Address
    detail: str = ""
    depth: int = 0


class AliasExpansion:
    """Follows one recipient breadth first, each address once, so that loops end by themselves.

    The steps are noted in ``steps`` if there is such a list.
    """

    def __init__(
        self, directory: Directory, separators: str, steps: list[RouteStep] | None = None
    ) -> None:
        self._directory = directory
        self._separators = separators
        self._steps = steps
        self._seen: set[Address] = set()
        self._accounts: dict[str, str] = {}  # in order, with what led there
        self._programs: dict[ProgramTarget, None] = {}
        self._lists: dict[ListTarget, None] = {}
        self._elsewhere: dict[Address, None] = {}

    async def route(self, recipient: Address) -> Route:
        """Return the route of the recipient. Raises Unavailable."""
        level = [PendingAddress(recipient)]
        self._seen.add(recipient)
        for _ in range(MAX_DEPTH + 1):
            following: list[PendingAddress] = []
            for way in level:
                following += self._unseen(await self._resolve(way))
                if len(self._seen) > MAX_ADDRESSES:
                    self._note(way, RouteStepKind.TOO_MANY)
                    return TOO_MANY
            if not following:
                return self._result()
            level = following
        self._note(level[0], RouteStepKind.TOO_DEEP)
        return TOO_DEEP

    def _unseen(self, ways: list[PendingAddress]) -> list[PendingAddress]:
        """Return those ways whose addresses were not followed before."""
        new = []
        for way in ways:
            if way.address in self._seen:
                self._note(way, RouteStepKind.REPEATED)
            else:
                self._seen.add(way.address)
                new.append(way)
        return new

    def _result(self) -> Route:
        details = tuple(one for one in self._accounts.items() if one[1])
        rest = tuple(self._accounts), tuple(self._programs), tuple(self._lists), details
        if self._elsewhere:
            return RemoteRoute(tuple(self._elsewhere), *rest)
        return LocalRoute(*rest) if any(rest) else UNKNOWN

    # ------------------------------------------------------------ one address

    async def _resolve(self, way: PendingAddress) -> list[PendingAddress]:
        """Note what an address is; return where it leads."""
        found = await self._directory.find(way.address)
        if found is None:
            self._note(way, RouteStepKind.ELSEWHERE)
            self._elsewhere[way.address] = None
            return []
        await self._note_domain(way)
        if found.is_deliverable:
            return self._follow_entry(way, found)
        return await self._resolve_fallback(way)

    async def _resolve_fallback(self, way: PendingAddress) -> list[PendingAddress]:
        """Look for what else takes the mail of an address of ours where nobody lives."""
        address = way.address
        if (read := parse_role(address.local)) is not None:
            name, role, detail = read
            found = await self._find(name, address.domain)
            if found.list is not None:
                return self._follow_list_role(way, found, ListTarget(found.list, role, detail))
        for user, detail in subaddress_splits(address.local, self._separators):
            found = await self._find(user, address.domain)
            if found.is_deliverable:
                self._note(way, RouteStepKind.SUBADDRESS, user, detail)
                return self._follow_entry(PendingAddress(address, detail, way.depth), found)
        found = await self._find(catch_all_address(address.domain).local, address.domain)
        self._note(way, RouteStepKind.CATCH_ALL if found.is_deliverable else RouteStepKind.UNKNOWN)
        return self._follow_entry(way, found)

    async def _find(self, local: str, domain: str) -> DirectoryEntry:
        return await self._directory.find(Address(local, domain)) or NO_ENTRY

    def _follow_entry(self, way: PendingAddress, found: DirectoryEntry) -> list[PendingAddress]:
        """Note what was found under an address; return where it leads."""
        if found.account is not None:
            self._note(way, RouteStepKind.ACCOUNT, found.account)
            self._accounts.setdefault(found.account, way.detail)
        elif found.list is not None:
            self._note(way, RouteStepKind.LIST, found.list)
            self._lists[ListTarget(found.list, ListRole.POST)] = None
        elif found.targets or found.programs:
            self._note(
                way,
                RouteStepKind.ALIAS,
                *map(str, found.targets),
                *(f"|{p}" for p in found.programs),
            )
            for program in found.programs:
                self._note(
                    PendingAddress(way.address, depth=way.depth + 1), RouteStepKind.PROGRAM, program
                )
                self._programs[ProgramTarget(program, way.address, way.detail)] = None
        return [PendingAddress(target, way.detail, way.depth + 1) for target in found.targets]

    def _follow_list_role(
        self, way: PendingAddress, found: DirectoryEntry, mail: ListTarget
    ) -> list[PendingAddress]:
        if mail.role is ListRole.OWNER:
            owners = found.owners or (Address("postmaster", way.address.domain),)
            self._note(way, RouteStepKind.LIST_OWNERS, *map(str, owners))
            return [PendingAddress(owner, depth=way.depth + 1) for owner in owners]
        self._note(way, RouteStepKind.LIST, mail.list, mail.role.value)
        self._lists[mail] = None
        return []

    # ------------------------------------------------------------ the trace

    def _note(self, way: PendingAddress, turn: RouteStepKind, *found: str) -> None:
        if self._steps is not None:
            self._steps.append(RouteStep(way.depth, way.address, turn, found))

    async def _note_domain(self, way: PendingAddress) -> None:
        if self._steps is not None:
            home = await self._directory.home(way.address.domain)
            if home is not None and home != way.address.domain:
                self._note(way, RouteStepKind.DOMAIN_ALIAS, home)
