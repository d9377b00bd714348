"""The tables of the directory, and what every kind of editing needs to know of them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from twisted_mail.directory import schema
from twisted_mail.mail import address as addresses
from twisted_mail.mail.address import Address
from twisted_mail.mail.directory_entry import catch_all_address, is_postmaster, subaddress_splits
from twisted_mail.mail.mailing_list_definition import parse_role
from twisted_mail.mail.outcome import Refused, Unavailable


class Tables:
    """The open file, with the queries that domains, accounts, aliases and lists share.

    ``extra_domains`` are those of the configuration file, ``separators`` stand before details, and
    ``postmasters`` are asked in turn for a domain without one. Raises ``schema.DirectoryUnusable``.
    """

    def __init__(
        self,
        path: Path,
        extra_domains: Iterable[str] = (),
        separators: str = "+",
        postmasters: tuple[Address, ...] = (),
    ) -> None:
        self.connection = schema.open_database(path)
        self.extra_domains = frozenset(domain.lower() for domain in extra_domains)
        self.separators = separators
        self._postmasters = postmasters

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """Run one transaction, begun at once: what is checked inside still holds at its end."""
        connection = self.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except apsw.BusyError as error:
            raise Unavailable("another program is altering the directory; try again") from error
        except apsw.Error as error:
            raise Unavailable(f"the directory cannot be altered: {error}") from error

    def count(self, query: str, *values: str) -> int:
        """Return the one number that a query asks for."""
        return int(next(self.connection.execute(query, values))[0])

    # ------------------------------------------------------------ domains

    def is_ours(self, domain: str) -> bool:
        """Return whether a domain, in its normal form, is one of ours, and not another name of one."""
        return domain in self.extra_domains or bool(
            self.count("SELECT count(*) FROM domain WHERE name = ?", domain)
        )

    def alias_of(self, domain: str) -> str | None:
        """Return the domain that this one is another name of, or None."""
        rows = self.connection.execute("SELECT target FROM domain_alias WHERE name = ?", (domain,))
        return next((target for (target,) in rows), None)

    def home(self, domain: str) -> str | None:
        """Return the domain of ours that a domain is, or is another name of; None if not ours."""
        if self.is_ours(domain):
            return domain
        target = self.alias_of(domain)
        return target if target is not None and self.is_ours(target) else None

    def check_domain(self, address: Address) -> None:
        """Raise Refused when nothing can be made in the address's domain."""
        if self.is_ours(address.domain):
            return
        if (target := self.alias_of(address.domain)) is not None:
            raise Refused(f"{address.domain} is another name of {target}: make it there")
        raise Refused(f"the domain {address.domain} is not ours: add it first")

    # ------------------------------------------------------------ addresses

    def at_home(self, address: Address) -> Address:
        """Return the same address in the domain that its domain is another name of, if it is."""
        return Address(address.local, self.home(address.domain) or address.domain)

    def keys(self, address: Address) -> list[str]:
        """Return the keys of an address in the domain where it lives and in its other names."""
        home = self.at_home(address)
        rows = self.connection.execute(
            "SELECT name FROM domain_alias WHERE target = ? ORDER BY name", (home.domain,)
        )
        return [home.key, *(Address(home.local, name).key for (name,) in rows)]

    def account_name(self, address: Address) -> str | None:
        """Return the name of the account with this address, in any spelling, or None."""
        key = self.at_home(address).key
        rows = self.connection.execute("SELECT address FROM account WHERE key = ?", (key,))
        return next((name for (name,) in rows), None)

    def find_account(self, text: str) -> str:
        """Return the name of the account with this address, in any spelling. Raises Refused."""
        address = to_address(text)
        name = self.account_name(address)
        if name is None:
            raise Refused(f"there is no account {address}")
        return name

    def targets(self, key: str) -> list[tuple[str, str]]:
        """Return the alias of a key: its address as written with each target, in order."""
        return list(
            self.connection.execute(
                "SELECT address, target FROM alias WHERE key = ? ORDER BY position, target_key",
                (key,),
            )
        )

    def list_name(self, address: Address) -> str | None:
        """Return the name of the mailing list with this address, or None."""
        rows = self.connection.execute("SELECT address FROM list WHERE key = ?", (address.key,))
        return next((name for (name,) in rows), None)

    def list_owners(self, address: Address) -> tuple[Address, ...]:
        """Return the owners of the mailing list with this address."""
        rows = self.connection.execute(
            "SELECT address FROM list_owner WHERE list = ? ORDER BY position", (address.key,)
        )
        return tuple(addresses.parse(text) for (text,) in rows)

    def occupant(self, address: Address) -> str:
        """Return what has this very address: ``an alias``, and so on; empty for nothing."""
        if self.account_name(address) is not None:
            return "an account"
        if self.targets(address.key):
            return "an alias"
        return "a mailing list" if self.list_name(address) is not None else ""

    def postmaster_for(self, address: Address) -> Address | None:
        """Return who gets the mail for the postmaster of a domain of ours where nobody else does."""
        if not is_postmaster(address.local):
            return None
        return next((one for one in self._postmasters if self.occupant(self.at_home(one))), None)

    def is_dangling(self, target: Address) -> bool:
        """Return whether a target is in a domain of ours, where its mail would not arrive."""
        home = self.home(target.domain)
        if home is None:
            return False
        role = parse_role(target.local)
        if role is not None and self.list_name(Address(role[0], home)) is not None:
            return False
        users = [
            target.local,
            *(user for user, _ in subaddress_splits(target.local, self.separators)),
        ]
        found = [*(Address(user, home) for user in users), catch_all_address(home)]
        if any(self.occupant(one) for one in found):
            return False
        return self.postmaster_for(target) is None


def read_target(text: str) -> Address | str:
    """Read where an alias leads, as it is kept: an address, or ``|name`` for a program's name."""
    is_program = text.startswith("|") and "@" not in text
    return text[1:] if is_program else addresses.parse(text)


def to_address(text: str) -> Address:
    """Read an address that somebody typed. Raises Refused."""
    try:
        return addresses.parse(text)
    except ValueError as error:
        raise Refused(f"{text!r} is not an address: {error}") from None


def to_canonical(text: str) -> Address:
    """Read the address that something new here gets: its canonical spelling. Raises Refused."""
    return to_address(to_address(text).key)


def to_domain(text: str) -> str:
    """Read a domain that somebody typed. Raises Refused."""
    try:
        return addresses.parse_domain(text)
    except ValueError as error:
        raise Refused(f"{text!r} is not a domain: {error}") from None
