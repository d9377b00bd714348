"""Editing the mailing lists."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from twisted_mail.directory.tables import Tables, to_address, to_canonical, to_domain
from twisted_mail.mail.address import PORTABLE_LOCAL, Address, parse
from twisted_mail.mail.mailing_list_definition import (
    JoiningPolicy,
    ListRole,
    MailingList,
    PostingPolicy,
    parse_role,
    role_address,
)
from twisted_mail.mail.outcome import Refused

MAX_MEMBERS = 100_000  # of one list
MAX_OWNERS = 20
MAX_TITLE = 200  # characters
_LONGEST_ROLE = "-bounces+=4294967295=12345678"  # what is added to the name for one member
MAX_NAME = PORTABLE_LOCAL - len(_LONGEST_ROLE)  # characters of the local part


@dataclass(frozen=True, slots=True)
class ListRow:
    """One list as an overview shows it."""

    list: MailingList
    members: int
    suspended: int


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member; ``created`` and ``suspended`` in seconds since 1970, the latter 0 if it is not."""

    address: str
    created: int
    bounces: int
    suspended: int


class MailingLists:
    """The mailing lists and their members. Methods raise Refused and Unavailable."""

    def __init__(self, tables: Tables, now: Callable[[], float] = time.time) -> None:
        self._tables = tables
        self._now = now

    # ------------------------------------------------------------ lists

    def all(self, domain: str = "") -> list[ListRow]:
        """Return the lists of one domain, or all, sorted by domain and address."""
        name = to_domain(domain) if domain else None
        rows = self._tables.connection.execute(
            "SELECT list.address, count(number), ifnull(sum(suspended > 0), 0) FROM list"
            " LEFT JOIN list_member ON list_member.list = list.key"
            " WHERE ?1 IS NULL OR domain = ?1 GROUP BY list.key ORDER BY domain, list.key",
            (name,),
        )
        return [
            ListRow(self.find(address), members, suspended)
            for address, members, suspended in list(rows)
        ]

    def find(self, text: str) -> MailingList:
        """Return a list. Raises Refused when there is none."""
        address = to_address(text)
        found = self.get(address)
        if found is None:
            raise Refused(f"there is no mailing list {address}")
        return found

    def get(self, address: Address) -> MailingList | None:
        """Return the list with this address, in any spelling, or None."""
        key = self._tables.at_home(address).key
        rows = self._tables.connection.execute(
            "SELECT address, title, posting, joining, is_moderated FROM list WHERE key = ?", (key,)
        )
        for name, title, posting, joining, is_moderated in list(rows):
            owners = self._tables.connection.execute(
                "SELECT address FROM list_owner WHERE list = ? ORDER BY position", (key,)
            )
            return MailingList(
                name,
                parse(name),
                title,
                PostingPolicy(posting),
                JoiningPolicy(joining),
                bool(is_moderated),
                tuple(parse(owner) for (owner,) in owners),
            )
        return None

    def add(self, text: str) -> MailingList:
        """Make a list; return it. Its name is the canonical spelling of the address."""
        address = to_canonical(text)
        with self._tables.transaction() as connection:
            self._tables.check_domain(address)
            if occupant := self._tables.occupant(address):
                raise Refused(f"{address} is {occupant}")
            _check_name(address)
            made = MailingList(str(address), address)
            values = made.posting.value, made.joining.value, made.is_moderated, int(self._now())
            connection.execute(
                "INSERT INTO list VALUES (?, ?, ?, '', ?, ?, ?, ?)",
                (address.key, str(address), address.domain, *values),
            )
        return made

    def alter(
        self,
        text: str,
        title: str | None = None,
        posting: PostingPolicy | None = None,
        joining: JoiningPolicy | None = None,
        is_moderated: bool | None = None,
    ) -> MailingList:
        """Alter what is given of a list's rules; return the list as it is now."""
        if title is not None and (len(title) > MAX_TITLE or not title.isprintable()):
            raise Refused(f"a title is one line of at most {MAX_TITLE} characters")
        with self._tables.transaction() as connection:
            found = self.find(text)
            connection.execute(
                "UPDATE list SET title = ?, posting = ?, joining = ?, is_moderated = ?"
                " WHERE key = ?",
                (
                    found.title if title is None else title,
                    (posting or found.posting).value,
                    (joining or found.joining).value,
                    found.is_moderated if is_moderated is None else is_moderated,
                    found.address.key,
                ),
            )
            return self.find(text)

    def remove(self, text: str) -> int:
        """Remove a list; return how many members it had."""
        with self._tables.transaction() as connection:
            key = self.find(text).address.key
            members = self._tables.count("SELECT count(*) FROM list_member WHERE list = ?", key)
            for table in ("list_owner", "list_member", "list_request"):
                connection.execute(f"DELETE FROM {table} WHERE list = ?", (key,))
            connection.execute("DELETE FROM list WHERE key = ?", (key,))
        return members

    # ------------------------------------------------------------ owners and members

    def set_owners(self, text: str, owners: Sequence[str]) -> MailingList:
        """Give a list these owners and no others; return the list."""
        addresses = [to_address(owner) for owner in owners]
        if len(addresses) > MAX_OWNERS:
            raise Refused(f"a list has at most {MAX_OWNERS} owners")
        with self._tables.transaction() as connection:
            found = self.find(text)
            key = found.address.key
            for owner in addresses:
                self.check_joining(found, owner)
            addresses = [self._tables.at_home(owner) for owner in addresses]
            connection.execute("DELETE FROM list_owner WHERE list = ?", (key,))
            connection.executemany(
                "INSERT OR IGNORE INTO list_owner VALUES (?, ?, ?, ?)",
                ((key, one.key, at, str(one)) for at, one in enumerate(addresses)),
            )
            return self.find(text)

    def members(self, text: str) -> list[MemberRow]:
        """Return the members, sorted by address."""
        key = self.find(text).address.key
        rows = self._tables.connection.execute(
            "SELECT address, created, bounces, suspended FROM list_member"
            " WHERE list = ? ORDER BY key",
            (key,),
        )
        return [MemberRow(*row) for row in rows]

    def add_members(self, text: str, members: Sequence[str]) -> list[str]:
        """Add members to a list, all or none; return those who were not on it before."""
        addresses = [to_address(member) for member in members]
        with self._tables.transaction():
            found = self.find(text)
            new = [str(one) for one in addresses if self._put(found, one)]
            self._check_number(found)  # once: counting takes as long as there are members
            return new

    def join(self, mailing_list: MailingList, address: Address) -> bool:
        """Add a member to a list, inside a transaction; return whether they are new."""
        is_new = self._put(mailing_list, address)
        self._check_number(mailing_list)
        return is_new

    def _put(self, mailing_list: MailingList, address: Address) -> bool:
        self.check_joining(mailing_list, address)
        address = self._tables.at_home(address)
        connection = self._tables.connection
        connection.execute(
            "INSERT OR IGNORE INTO list_member (list, key, address, created) VALUES (?, ?, ?, ?)",
            (mailing_list.address.key, address.key, str(address), int(self._now())),
        )
        return connection.changes() > 0

    def _check_number(self, mailing_list: MailingList) -> None:
        count = "SELECT count(*) FROM list_member WHERE list = ?"
        if self._tables.count(count, mailing_list.address.key) > MAX_MEMBERS:
            raise Refused(f"a list has at most {MAX_MEMBERS} members")

    def remove_members(self, text: str, members: Sequence[str]) -> list[str]:
        """Remove members from a list, all or none; return them."""
        addresses = [to_address(member) for member in members]
        with self._tables.transaction():
            found = self.find(text)
            for one in addresses:
                if not self.leave(found, one):
                    raise Refused(f"{one} is not on {found.name}")
        return [str(one) for one in addresses]

    def leave(self, mailing_list: MailingList, address: Address) -> bool:
        """Remove a member from a list, inside a transaction; return whether they were on it."""
        connection = self._tables.connection
        connection.execute(
            "DELETE FROM list_member WHERE list = ? AND key IN (?, ?)",
            (mailing_list.address.key, address.key, self._tables.at_home(address).key),
        )
        return connection.changes() > 0

    def resume(self, text: str, member: str) -> str:
        """End the suspension of a member; return the address."""
        address = to_address(member)
        with self._tables.transaction() as connection:
            found = self.find(text)
            connection.execute(
                "UPDATE list_member SET suspended = 0, bounces = 0"
                " WHERE list = ? AND key IN (?, ?)",
                (found.address.key, address.key, self._tables.at_home(address).key),
            )
            if not connection.changes():
                raise Refused(f"{address} is not on {found.name}")
        return str(address)

    def check_joining(self, mailing_list: MailingList, address: Address) -> None:
        """Raise Refused when the address cannot be a member's, or an owner's."""
        if self._tables.is_dangling(address):
            raise Refused(f"there is no account, alias or list {address}")
        role = parse_role(address.local)
        named = Address(role[0], address.domain) if role else address
        own = {self._tables.at_home(one).key for one in (address, named)}
        if mailing_list.address.key in own:
            raise Refused(f"{address} is the list itself")

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the lists whose members or owners cannot be reached, and whom."""
        for table, word in (("list_owner", "owner"), ("list_member", "member")):
            rows = self._tables.connection.execute(
                f"SELECT list.address, {table}.address FROM list JOIN {table} ON list = list.key"
                f" ORDER BY list.key, {table}.key"
            )
            for name, text in list(rows):
                address = parse(text)
                if self._tables.is_dangling(address):
                    yield name, f"the {word} {text} is not here"


def _check_name(address: Address) -> None:
    """Raise Refused for a name whose further addresses would be ambiguous, or too long."""
    if parse_role(address.local) is not None:
        raise Refused(f"{address} ends with a word for the further addresses of a list")
    if len(address.local) > MAX_NAME:
        raise Refused(f"the part before the @ of a list has at most {MAX_NAME} characters")
    if str(role_address(address, ListRole.OWNER)).startswith('"') or "+" in address.local:
        raise Refused("the part before the @ of a list has neither quotes nor +")
