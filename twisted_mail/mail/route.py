"""Routes: the next hop for one recipient, and the steps by which it was found."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.mailing_list_definition import ListRole, role_address
from twisted_mail.mail.outcome import Outcome


@dataclass(frozen=True, slots=True)
class ProgramTarget:
    """A program that gets the mail, by name, and the address that leads to it.

    ``detail`` is the part of the recipient after the separator (RFC 5233 §1), or empty.
    """

    program: str
    recipient: Address
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ListTarget:
    """Mail for one of the addresses of a mailing list.

    ``list`` is the list's name; ``detail`` is the part after the role, as in ``list-bounces+detail``.
    """

    list: str
    role: ListRole
    detail: str = ""

    @property
    def recipient(self) -> Address:
        """Return the address that mail comes to."""
        return role_address(parse(self.list), self.role, self.detail)


JobTarget = ProgramTarget | ListTarget  # what mail is queued for


@dataclass(frozen=True, slots=True)
class LocalRoute:
    """The mail stays: the accounts, by name, that receive it once aliases are expanded.

    ``details`` has, for accounts whose address had one, the part after the separator: ``lists`` for
    ``alice+lists``.
    """

    accounts: tuple[str, ...]
    programs: tuple[ProgramTarget, ...] = ()
    lists: tuple[ListTarget, ...] = ()
    details: tuple[tuple[str, str], ...] = ()

    @property
    def target_count(self) -> int:
        """Return to how many accounts, programs and lists the mail goes."""
        return len(self.accounts) + len(self.programs) + len(self.lists)


@dataclass(frozen=True, slots=True)
class RemoteRoute:
    """The mail goes on to other hosts: to addresses whose domains are not ours.

    The other fields are those of ``LocalRoute``, for the part of the mail that stays.
    """

    addresses: tuple[Address, ...]
    accounts: tuple[str, ...] = ()
    programs: tuple[ProgramTarget, ...] = ()
    lists: tuple[ListTarget, ...] = ()
    details: tuple[tuple[str, str], ...] = ()

    @property
    def target_count(self) -> int:
        """Return to how many addresses elsewhere, accounts, programs and lists the mail goes."""
        here = len(self.accounts) + len(self.programs) + len(self.lists)
        return len(self.addresses) + here


Routes = Mapping[Address, LocalRoute | RemoteRoute]  # of the recipients of a message


@dataclass(frozen=True, slots=True)
class NoRoute:
    """The recipient does not exist, or mail for it is not accepted."""

    outcome: Outcome


Route = LocalRoute | RemoteRoute | NoRoute


@dataclass(frozen=True, slots=True)
class KnownRoutes:
    """Routes by recipient, found before the message came.

    ``version`` is what ``interfaces.Router.version`` returned before the first was looked up: they hold
    as long as it returns the same.
    """

    version: object
    by_recipient: Routes


class RouteStepKind(Enum):
    """What was found at one address while routing."""

    POSTMASTER = "postmaster"  # of no domain, or of one without: looked up elsewhere
    DOMAIN_ALIAS = "domain alias"  # its domain is another name of one of ours
    ACCOUNT = "account"
    ALIAS = "alias"
    PROGRAM = "program"
    SUBADDRESS = "subaddress"  # nothing at the address itself, but at the part before the separator
    CATCH_ALL = "catch-all"
    LIST = "list"
    LIST_OWNERS = "list owners"
    ELSEWHERE = "elsewhere"
    REPEATED = "repeated"  # it was followed before: a loop, or two ways to one address
    UNKNOWN = "unknown"
    TOO_DEEP = "too deep"
    TOO_MANY = "too many"


@dataclass(frozen=True, slots=True)
class RouteStep:
    """One address that routing went through: what it is, and where it leads.

    ``depth`` counts the aliases before it; ``found`` has the directory's values.
    """

    depth: int
    address: Address
    kind: RouteStepKind
    found: tuple[str, ...] = ()
