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
from twisted_mail.mail.directory_entry import NOBODY, Resident, catch_all, cuts
from twisted_mail.mail.mailing_list import Role, read_role
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.route import Elsewhere, Errand, Here, ListMail, NoRoute, Route, Step, Turn

MAX_DEPTH = 10  # aliases that lead to aliases
MAX_ADDRESSES = 1000  # that one recipient may lead to

UNKNOWN = NoRoute(Outcome(550, "5.1.1", "There is no such mailbox here"))
# Whoever runs this server can mend it, so the sender keeps the mail and tries again.
TOO_DEEP = NoRoute(Outcome(451, "4.3.5", "The aliases of this recipient nest too deeply"))
TOO_MANY = NoRoute(Outcome(451, "4.3.5", "This recipient stands for too many addresses"))


@dataclass(frozen=True, slots=True)
class Way:
    """An address to follow, the detail that led there, and the number of aliases before it."""

    address: Address
    detail: str = ""
    depth: int = 0


class Expansion:
    """Follows one recipient breadth first, each address once, so that loops end by themselves.

    The steps are noted in ``steps`` if there is such a list.
    """

    def __init__(
        self, directory: Directory, separators: str, steps: list[Step] | None = None
    ) -> None:
        self._directory = directory
        self._separators = separators
        self._steps = steps
        self._seen: set[Address] = set()
        self._accounts: dict[str, str] = {}  # in order, with what led there
        self._programs: dict[Errand, None] = {}
        self._lists: dict[ListMail, None] = {}
        self._elsewhere: dict[Address, None] = {}

    async def route(self, recipient: Address) -> Route:
        """Return the route of the recipient. Raises Unavailable."""
        level = [Way(recipient)]
        self._seen.add(recipient)
        for _ in range(MAX_DEPTH + 1):
            following: list[Way] = []
            for way in level:
                following += self._new(await self._step(way))
                if len(self._seen) > MAX_ADDRESSES:
                    self._note(way, Turn.TOO_MANY)
                    return TOO_MANY
            if not following:
                return self._end()
            level = following
        self._note(level[0], Turn.TOO_DEEP)
        return TOO_DEEP

    def _new(self, ways: list[Way]) -> list[Way]:
        """Return those ways whose addresses were not followed before."""
        new = []
        for way in ways:
            if way.address in self._seen:
                self._note(way, Turn.REPEATED)
            else:
                self._seen.add(way.address)
                new.append(way)
        return new

    def _end(self) -> Route:
        details = tuple(one for one in self._accounts.items() if one[1])
        rest = tuple(self._accounts), tuple(self._programs), tuple(self._lists), details
        if self._elsewhere:
            return Elsewhere(tuple(self._elsewhere), *rest)
        return Here(*rest) if any(rest) else UNKNOWN

    # ------------------------------------------------------------ one address

    async def _step(self, way: Way) -> list[Way]:
        """Note what an address is; return where it leads."""
        found = await self._directory.find(way.address)
        if found is None:
            self._note(way, Turn.ELSEWHERE)
            self._elsewhere[way.address] = None
            return []
        await self._note_domain(way)
        if found.is_somebody:
            return self._take(way, found)
        return await self._step_aside(way)

    async def _step_aside(self, way: Way) -> list[Way]:
        """Look for what else takes the mail of an address of ours where nobody lives."""
        address = way.address
        if (read := read_role(address.local)) is not None:
            name, role, detail = read
            found = await self._find(name, address.domain)
            if found.list is not None:
                return self._take_role(way, found, ListMail(found.list, role, detail))
        for user, detail in cuts(address.local, self._separators):
            found = await self._find(user, address.domain)
            if found.is_somebody:
                self._note(way, Turn.SUBADDRESS, user, detail)
                return self._take(Way(address, detail, way.depth), found)
        found = await self._find(catch_all(address.domain).local, address.domain)
        self._note(way, Turn.CATCH_ALL if found.is_somebody else Turn.UNKNOWN)
        return self._take(way, found)

    async def _find(self, local: str, domain: str) -> Resident:
        return await self._directory.find(Address(local, domain)) or NOBODY

    def _take(self, way: Way, found: Resident) -> list[Way]:
        """Note what was found under an address; return where it leads."""
        if found.account is not None:
            self._note(way, Turn.ACCOUNT, found.account)
            self._accounts.setdefault(found.account, way.detail)
        elif found.list is not None:
            self._note(way, Turn.LIST, found.list)
            self._lists[ListMail(found.list, Role.POST)] = None
        elif found.targets or found.programs:
            self._note(
                way, Turn.ALIAS, *map(str, found.targets), *(f"|{p}" for p in found.programs)
            )
            for program in found.programs:
                self._note(Way(way.address, depth=way.depth + 1), Turn.PROGRAM, program)
                self._programs[Errand(program, way.address, way.detail)] = None
        return [Way(target, way.detail, way.depth + 1) for target in found.targets]

    def _take_role(self, way: Way, found: Resident, mail: ListMail) -> list[Way]:
        if mail.role is Role.OWNER:
            owners = found.owners or (Address("postmaster", way.address.domain),)
            self._note(way, Turn.LIST_OWNERS, *map(str, owners))
            return [Way(owner, depth=way.depth + 1) for owner in owners]
        self._note(way, Turn.LIST, mail.list, mail.role.value)
        self._lists[mail] = None
        return []

    # ------------------------------------------------------------ the trace

    def _note(self, way: Way, turn: Turn, *found: str) -> None:
        if self._steps is not None:
            self._steps.append(Step(way.depth, way.address, turn, found))

    async def _note_domain(self, way: Way) -> None:
        if self._steps is not None:
            home = await self._directory.home(way.address.domain)
            if home is not None and home != way.address.domain:
                self._note(way, Turn.DOMAIN_ALIAS, home)
