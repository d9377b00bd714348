"""Directory entries: what the directory has at one address."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from twisted_mail.mail.address import Address, canonical_text, parse


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """What there is at one address: an account, or an alias, or a mailing list, or nothing.

    Mail of an account that is not ``is_enabled`` arrives, and its logins are refused. An alias leads to
    the addresses ``targets`` and to the ``programs``, by name. ``list`` is the name of a list, and
    ``owners`` are the addresses of its owners. ``made_at`` is when the account was made, in seconds since
    1970: by it an account differs from an earlier one of the same name.
    """

    account: str | None = None
    targets: tuple[Address, ...] = ()
    programs: tuple[str, ...] = ()
    list: str | None = None
    owners: tuple[Address, ...] = ()
    is_enabled: bool = True
    made_at: int = field(default=0, compare=False)

    @property
    def is_deliverable(self) -> bool:
        """True when mail for the address can be delivered."""
        return bool(self.account or self.targets or self.programs or self.list)


NO_ENTRY = DirectoryEntry()


def catch_all_address(domain: str) -> Address:
    """Return the address of a domain's catch-all entry, which takes the rest of its mail."""
    return Address("", domain)


def subaddress_splits(local: str, separators: str) -> list[tuple[str, str]]:
    """Return the ways to cut a local part into user and detail (RFC 5233 §1), the longest user first.

    Each character of ``separators`` separates. At most ``MAX_SUBADDRESS_SPLITS`` ways are returned.
    """
    at = [index for index, character in enumerate(local) if character in separators and index]
    return [(local[:index], local[index + 1 :]) for index in reversed(at[:MAX_SUBADDRESS_SPLITS])]


MAX_SUBADDRESS_SPLITS = 4  # each costs a look-up, and strangers choose the local part


# ---------------------------------------------------------------- aliases

MAX_ALIAS_DEPTH = 10  # aliases that lead to aliases
MAX_ALIAS_ADDRESSES = 1000  # that one address leads to; more is a mailing list


# ---------------------------------------------------------------- the postmaster

POSTMASTER = "postmaster"  # whose mail every domain takes (RFC 5321 §4.5.1)


def is_postmaster(local: str) -> bool:
    """Return whether a local part is that of the postmaster, whatever its case."""
    return canonical_text(local) == POSTMASTER


def postmasters(setting: str, hostname: str, domains: Iterable[str]) -> tuple[Address, ...]:
    """Return who is asked in turn for a postmaster, where a domain has none of its own.

    First the address of the configuration, if there is one, then the postmaster of the host name, those
    of the domains above it, the top-level domain left out, and those of the domains given.
    """
    names = dict.fromkeys((*_and_above(hostname), *domains))
    own = (parse(setting),) if setting else ()
    return (*own, *(Address(POSTMASTER, name) for name in names))


def _and_above(hostname: str) -> list[str]:
    labels = hostname.lower().split(".")
    return [".".join(labels[at:]) for at in range(max(1, len(labels) - 1))] if hostname else []
