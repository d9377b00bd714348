"""Routes: the next hop for one recipient, and the steps by which it was found."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from twisted_mail.mail.address import Address
from twisted_mail.mail.mailing_list import ListRole
from twisted_mail.mail.outcome import Outcome


@dataclass(frozen=True, slots=True)
class ProgramTarget:
    """A program that gets the mail, by its name, and the address that leads to it.

    ``detail`` is what stood behind the separator in the recipient (RFC 5233 §1), or empty.
    """

    program: str
    recipient: Address
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ListTarget:
    """Mail for one of the addresses of a mailing list.

    ``list`` is the list's name; ``detail`` is what stood behind the role: ``list-bounces+detail``.
    """

    list: str
    role: ListRole
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LocalRoute:
    """The mail stays: the accounts, by name, that receive it once aliases are expanded.

    ``details`` has, for those accounts where there is one, what stood behind the separator of the
    address that led there: ``lists`` for ``alice+lists``.
    """

    accounts: tuple[str, ...]
    programs: tuple[ProgramTarget, ...] = ()
    lists: tuple[ListTarget, ...] = ()
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteRoute:
    """The mail goes on to other hosts: addresses whose domains are not ours.

    The other fields are what ``LocalRoute`` has, for the part of the mail that stays.
    """

    addresses: tuple[Address, ...]
    accounts: tuple[str, ...] = ()
    programs: tuple[ProgramTarget, ...] = ()
    lists: tuple[ListTarget, ...] = ()
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NoRoute:
    """There is no such recipient, or mail for it is not taken."""

    outcome: Outcome


Route = LocalRoute | RemoteRoute | NoRoute


@dataclass(frozen=True, slots=True)
class KnownRoutes:
    """Routes that were found while a message was announced, by recipient.

    ``version`` is what ``interfaces.Router.version`` returned before the first was looked for: they hold
    as long as it returns the same.
    """

    version: object
    by_recipient: Mapping[Address, LocalRoute]


class RouteStepKind(Enum):
    """What was found at one address on the way."""

    POSTMASTER = "postmaster"  # without a domain, looked for in ours
    DOMAIN_ALIAS = "domain alias"  # its domain is another name of one of ours
    ACCOUNT = "account"
    ALIAS = "alias"
    PROGRAM = "program"
    SUBADDRESS = "subaddress"  # nothing is there, but before the separator
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
    """One address on the way of a recipient's mail: what it is, and where it leads.

    ``depth`` counts the aliases before it; ``found`` is what was found, in the directory's words.
    """

    depth: int
    address: Address
    kind: RouteStepKind
    found: tuple[str, ...] = ()
