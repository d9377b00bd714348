"""Mailing lists as values: who is on them, who may write, and the addresses that each list has."""

from dataclasses import dataclass
from enum import Enum

from twisted_mail.mail.address import Address


class ListRole(Enum):
    """The addresses of a list: its own, and those that end with a hyphen and one of these words.

    The words are those of RFC 2142 §6 and of the common list programs.
    """

    POST = ""
    OWNER = "owner"
    REQUEST = "request"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    CONFIRM = "confirm"
    BOUNCES = "bounces"


class PostingPolicy(Enum):
    """Who may post to a list without an owner's approval."""

    MEMBERS = "members"  # and owners
    OWNERS = "owners"
    ANYONE = "anyone"


class JoiningPolicy(Enum):
    """How somebody becomes a member."""

    CONFIRMED = "confirmed"  # by a request by mail, which is confirmed by a second message
    CLOSED = "closed"  # by the administrator alone


@dataclass(frozen=True, slots=True)
class MailingList:
    """A mailing list: its name, which is its address, and its rules.

    With ``is_moderated``, posts of others than owners wait for the approval of an owner or of the
    administrator. ``owners`` are notified of held posts, and get what is sent to ``-owner``.
    """

    name: str
    address: Address
    title: str = ""
    posting: PostingPolicy = PostingPolicy.MEMBERS
    joining: JoiningPolicy = JoiningPolicy.CONFIRMED
    is_moderated: bool = False
    owners: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a list; ``number`` is never given to another member."""

    number: int
    address: Address
    is_suspended: bool = False


@dataclass(frozen=True, slots=True)
class SubscriptionRequest:
    """A request by mail: to join a list (``SUBSCRIBE``) or to leave it (``UNSUBSCRIBE``)."""

    role: ListRole
    address: Address


@dataclass(frozen=True, slots=True)
class BounceRule:
    """When a member is suspended: after ``limit`` bounces within ``window`` seconds.

    Of several within ``apart`` seconds one is counted.
    """

    limit: int
    window: float
    apart: float


@dataclass(frozen=True, slots=True)
class BounceStatus:
    """The bounces of a member after one more; ``is_new`` if this one has suspended them."""

    count: int = 0
    is_suspended: bool = False
    is_new: bool = False


_ROLES = {role.value: role for role in ListRole if role is not ListRole.POST}


def role_address(address: Address, role: ListRole, detail: str = "") -> Address:
    """Return the address of a list for one role: ``list-request``, ``list-bounces+detail``."""
    local = f"{address.local}-{role.value}" if role is not ListRole.POST else address.local
    return Address(f"{local}+{detail}" if detail else local, address.domain)


def parse_role(local: str) -> tuple[str, ListRole, str] | None:
    """Return the local part of the list, the role and the detail that a local part may stand for."""
    plain, _, detail = local.partition("+")
    name, hyphen, word = plain.rpartition("-")
    role = _ROLES.get(word.lower())
    return (name, role, detail) if hyphen and name and role is not None else None
