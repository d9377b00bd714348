"""What one recipient stands for: aliases, subaddresses and lists followed to where mail can be put.

At each address of ours these are looked for, and the first that is there counts:

1. what stands under the very address: an account, an alias, a mailing list;
2. a list's other addresses: ``list-owner``, ``list-request``, ``list-bounces+...``;
3. what stands before a separator: ``alice`` for ``alice+lists``;
4. what takes the rest of the domain's mail;
5. for a postmaster, that of the configuration or of another domain of ours.
"""

from dataclasses import dataclass

from twisted_mail.interfaces import Directory
from twisted_mail.mail.address import Address
from twisted_mail.mail.directory_entry import (
    MAX_ALIAS_ADDRESSES,
    MAX_ALIAS_DEPTH,
    NO_ENTRY,
    DirectoryEntry,
    catch_all_address,
    is_postmaster,
    subaddress_splits,
)
from twisted_mail.mail.mailing_list_definition import ListRole, parse_role
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

UNKNOWN = NoRoute(Outcome(550, "5.1.1", "There is no such mailbox here"))
# Whoever runs this server can correct it, so the sender keeps the mail and tries again.
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

    ``postmasters`` are asked in turn for a domain that has none. The steps are noted in ``steps`` if
    there is such a list. ``followed`` has the addresses that the route depends on, the recipient among
    them.
    """

    def __init__(
        self,
        directory: Directory,
        separators: str,
        postmasters: tuple[Address, ...] = (),
        steps: list[RouteStep] | None = None,
    ) -> None:
        self._directory = directory
        self._separators = separators
        self._postmasters = postmasters
        self._steps = steps
        self.followed: set[Address] = set()
        self._accounts: dict[str, str] = {}  # in order, with what led there
        self._programs: dict[ProgramTarget, None] = {}
        self._lists: dict[ListTarget, None] = {}
        self._elsewhere: dict[Address, None] = {}

    async def route(self, recipient: Address) -> Route:
        """Return the route of the recipient. Raises Unavailable."""
        level = [PendingAddress(recipient)]
        self.followed.add(recipient)
        for _ in range(MAX_ALIAS_DEPTH + 1):
            following: list[PendingAddress] = []
            for current in level:
                following += self._unseen(await self._resolve(current))
                if len(self.followed) > MAX_ALIAS_ADDRESSES + 1:  # with the recipient itself
                    self._note(current, RouteStepKind.TOO_MANY)
                    return TOO_MANY
            if not following:
                return self._result()
            level = following
        self._note(level[0], RouteStepKind.TOO_DEEP)
        return TOO_DEEP

    def _unseen(self, pending: list[PendingAddress]) -> list[PendingAddress]:
        """Return those whose addresses were not followed before."""
        new = []
        for current in pending:
            if current.address in self.followed:
                self._note(current, RouteStepKind.REPEATED)
            else:
                self.followed.add(current.address)
                new.append(current)
        return new

    def _result(self) -> Route:
        details = tuple(one for one in self._accounts.items() if one[1])
        rest = tuple(self._accounts), tuple(self._programs), tuple(self._lists), details
        if self._elsewhere:
            return RemoteRoute(tuple(self._elsewhere), *rest)
        return LocalRoute(*rest) if any(rest) else UNKNOWN

    # ------------------------------------------------------------ one address

    async def _resolve(self, current: PendingAddress) -> list[PendingAddress]:
        """Note what an address is; return where it leads."""
        found = await self._directory.find(current.address)
        if found is None:
            self._note(current, RouteStepKind.ELSEWHERE)
            self._elsewhere[current.address] = None
            return []
        await self._note_domain(current)
        if found.is_deliverable:
            return self._follow_entry(current, found)
        return await self._resolve_fallback(current)

    async def _resolve_fallback(self, current: PendingAddress) -> list[PendingAddress]:
        """Look for what else takes the mail of an address of ours where nobody lives."""
        address = current.address
        if (read := parse_role(address.local)) is not None:
            name, role, detail = read
            found = await self._find(name, address.domain)
            if found.list is not None:
                return self._follow_list_role(current, found, ListTarget(found.list, role, detail))
        for user, detail in subaddress_splits(address.local, self._separators):
            found = await self._find(user, address.domain)
            if found.is_deliverable:
                self._note(current, RouteStepKind.SUBADDRESS, user, detail)
                return self._follow_entry(PendingAddress(address, detail, current.depth), found)
        found = await self._find(catch_all_address(address.domain).local, address.domain)
        if not found.is_deliverable and is_postmaster(address.local):
            for postmaster in self._postmasters:
                if (await self._find(postmaster.local, postmaster.domain)).is_deliverable:
                    self._note(current, RouteStepKind.POSTMASTER, str(postmaster))
                    return [PendingAddress(postmaster, depth=current.depth + 1)]
        self._note(
            current, RouteStepKind.CATCH_ALL if found.is_deliverable else RouteStepKind.UNKNOWN
        )
        return self._follow_entry(current, found)

    async def _find(self, local: str, domain: str) -> DirectoryEntry:
        return await self._directory.find(Address(local, domain)) or NO_ENTRY

    def _follow_entry(self, current: PendingAddress, found: DirectoryEntry) -> list[PendingAddress]:
        """Note what was found under an address; return where it leads."""
        if found.account is not None:
            self._note(current, RouteStepKind.ACCOUNT, found.account)
            self._accounts.setdefault(found.account, current.detail)
        elif found.list is not None:
            self._note(current, RouteStepKind.LIST, found.list)
            self._lists[ListTarget(found.list, ListRole.POST)] = None
        elif found.targets or found.programs:
            self._note(
                current,
                RouteStepKind.ALIAS,
                *map(str, found.targets),
                *(f"|{p}" for p in found.programs),
            )
            for program in found.programs:
                self._note(
                    PendingAddress(current.address, depth=current.depth + 1),
                    RouteStepKind.PROGRAM,
                    program,
                )
                self._programs[ProgramTarget(program, current.address, current.detail)] = None
        return [
            PendingAddress(target, current.detail, current.depth + 1) for target in found.targets
        ]

    def _follow_list_role(
        self, current: PendingAddress, found: DirectoryEntry, mail: ListTarget
    ) -> list[PendingAddress]:
        if mail.role is ListRole.OWNER:
            owners = found.owners or (Address("postmaster", current.address.domain),)
            self._note(current, RouteStepKind.LIST_OWNERS, *map(str, owners))
            return [PendingAddress(owner, depth=current.depth + 1) for owner in owners]
        self._note(current, RouteStepKind.LIST, mail.list, mail.role.value)
        self._lists[mail] = None
        return []

    # ------------------------------------------------------------ the trace

    def _note(self, current: PendingAddress, turn: RouteStepKind, *found: str) -> None:
        if self._steps is not None:
            self._steps.append(RouteStep(current.depth, current.address, turn, found))

    async def _note_domain(self, current: PendingAddress) -> None:
        if self._steps is not None:
            home = await self._directory.home(current.address.domain)
            if home is not None and home != current.address.domain:
                self._note(current, RouteStepKind.DOMAIN_ALIAS, home)
