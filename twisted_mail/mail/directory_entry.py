"""Residents: what the directory has under one address."""

from dataclasses import dataclass

from twisted_mail.mail.address import Address


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """All that lives under one address: an account, or an alias, or a mailing list, or nothing.

    An alias leads to the addresses ``targets`` and to the ``programs``, by their names. ``list`` is
    the name of a list and ``owners`` where mail for its owners goes.
    """

    account: str | None = None
    targets: tuple[Address, ...] = ()
    programs: tuple[str, ...] = ()
    list: str | None = None
    owners: tuple[Address, ...] = ()

    @property
    def is_deliverable(self) -> bool:
        """True when mail for the address can arrive."""
        return bool(self.account or self.targets or self.programs or self.list)


NO_ENTRY = DirectoryEntry()


def catch_all_address(domain: str) -> Address:
    """Return the address under which the directory keeps where a domain's other mail goes."""
    return Address("", domain)


def subaddress_splits(local: str, separators: str) -> list[tuple[str, str]]:
    """Return the ways to cut a local part into user and detail (RFC 5233 §1), the longest user first.

    Each of the ``separators`` separates. At most ``MAX_SUBADDRESS_SPLITS`` ways are returned.
    """
    at = [index for index, sign in enumerate(local) if sign in separators and index]
    return [(local[:index], local[index + 1 :]) for index in reversed(at[:MAX_SUBADDRESS_SPLITS])]


MAX_SUBADDRESS_SPLITS = 4  # each costs a look-up, and strangers choose the local part
