"""Editing the accounts."""

import time
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass

from twisted_mail.directory import passwords
from twisted_mail.directory.editing import account_import
from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.directory.schemes import Uncheckable, split
from twisted_mail.directory.tables import Tables, to_canonical, to_domain
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.outcome import Refused


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account as a list shows it; ``created`` in seconds since 1970."""

    address: str
    created: int
    is_enabled: bool
    scheme: str


@dataclass(frozen=True, slots=True)
class RemovedAccount:
    """An account that was removed, with the aliases that lead to it and the lists it is on."""

    name: str
    aliases: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()


class Accounts:
    """The accounts and their passwords. Methods raise Refused and Unavailable."""

    def __init__(
        self, tables: Tables, settings: PasswordSettings, now: Callable[[], float] = time.time
    ) -> None:
        self._tables = tables
        self._settings = settings
        self._now = now

    def all(self, domain: str = "") -> list[AccountRow]:
        """Return the accounts of one domain, or all, sorted by domain and address."""
        name = to_domain(domain) if domain else None
        rows = self._tables.connection.execute(
            "SELECT address, created, is_enabled, hash FROM account"
            " WHERE ?1 IS NULL OR domain = ?1 ORDER BY domain, key",
            (name,),
        )
        return [
            AccountRow(address, created, bool(is_enabled), _scheme(stored))
            for address, created, is_enabled, stored in rows
        ]

    def find(self, text: str) -> str:
        """Return the name of the account. Raises Refused when there is none."""
        return self._tables.find_account(text)

    def has(self, text: str) -> bool:
        """Return whether there is an account with this address, in any spelling."""
        try:
            return self._tables.account_name(parse(text)) is not None
        except ValueError:
            return False

    def name_of(self, text: str) -> str:
        """Return the name that an account with this address has, or would have."""
        return self._tables.at_home(to_canonical(text)).key

    def check_free(self, text: str) -> str:
        """Return the name that the account would get. Raises Refused when it cannot be made."""
        address = to_canonical(text)
        self._check_free(address)
        return str(address)

    def add(self, text: str, password: str) -> str:
        """Make an account; return its name, the canonical spelling of the address."""
        address = to_canonical(text)
        _check_password(password)
        self._check_free(address)
        stored = passwords.hash_password(password, self._settings)  # slow, so nobody waits for it
        with self._tables.transaction():
            self._check_free(address)
            self._insert_account(address, stored)
        return str(address)

    def import_lines(
        self, lines: Iterable[str], is_replacing: bool = False, taken: Container[str] = ()
    ) -> list[str]:
        """Make accounts from ``address:{SCHEME}hash`` lines, all or none; return their names.

        With ``is_replacing`` accounts that exist get the new hash. New ones may not have names that are
        ``taken``: there is mail of theirs; what that raises of a name is a mistake of its line. Raises
        AccountImportError.
        """
        entries, mistakes = account_import.read_accounts(lines)
        with self._tables.transaction():
            for entry in entries:
                try:
                    self._import(entry, is_replacing, taken)
                except Refused as refused:
                    mistakes.append(account_import.ImportMistake(entry.line, refused.outcome.text))
            if mistakes:
                raise account_import.AccountImportError(
                    sorted(mistakes, key=lambda mistake: mistake.line)
                )
            return [self._tables.find_account(str(entry.address)) for entry in entries]

    def _import(
        self, entry: account_import.ImportedAccount, is_replacing: bool, taken: Container[str]
    ) -> None:
        if is_replacing and self._set_hash(entry.address, entry.hash):
            return
        address = to_canonical(str(entry.address))
        self._check_free(address)
        if str(address) in taken:
            raise Refused(f"mail of an earlier account {address} is still here (--keep-mail)")
        self._insert_account(address, entry.hash)

    def remove(self, text: str) -> RemovedAccount:
        """Remove an account, not its mail; return what still leads to it."""
        with self._tables.transaction() as connection:
            name = self._tables.find_account(text)
            connection.execute("DELETE FROM account WHERE key = ?", (parse(name).key,))
            connection.execute("DELETE FROM may_send_as WHERE account = ?", (parse(name).key,))
            keys = self._tables.keys(parse(name))
            return RemovedAccount(
                name,
                self._leading("SELECT address FROM alias WHERE target_key = ?", keys),
                self._leading(
                    "SELECT l.address FROM list l JOIN list_member m ON m.list = l.key"
                    " WHERE m.key = ?1 UNION SELECT l.address FROM list l"
                    " JOIN list_owner o ON o.list = l.key WHERE o.key = ?1",
                    keys,
                ),
            )

    def _leading(self, query: str, keys: Iterable[str]) -> tuple[str, ...]:
        rows = [row for key in keys for row in self._tables.connection.execute(query, (key,))]
        return tuple(sorted({address for (address,) in rows}))

    def set_password(self, text: str, password: str) -> str:
        """Give an account a new password; return the account's name."""
        _check_password(password)
        name = self._tables.find_account(text)
        stored = passwords.hash_password(password, self._settings)
        with self._tables.transaction():
            if not self._set_hash(parse(name), stored):
                raise Refused(f"there is no account {name}")
        return name

    def enable(self, text: str, is_enabled: bool) -> str:
        """Allow or refuse the account's logins; its mail arrives either way. Return its name."""
        with self._tables.transaction() as connection:
            name = self._tables.find_account(text)
            connection.execute(
                "UPDATE account SET is_enabled = ? WHERE key = ?", (is_enabled, parse(name).key)
            )
        return name

    def _check_free(self, address: Address) -> None:
        self._tables.check_domain(address)
        if (name := self._tables.account_name(address)) is not None:
            raise Refused(f"the account {name} is there already")
        if occupant := self._tables.occupant(address):
            raise Refused(f"{address} is {occupant}: remove it first")

    def _insert_account(self, address: Address, stored: str) -> None:
        self._tables.connection.execute(
            "INSERT INTO account (key, address, domain, hash, created) VALUES (?, ?, ?, ?, ?)",
            (address.key, str(address), address.domain, stored, int(self._now())),
        )

    def _set_hash(self, address: Address, stored: str) -> bool:
        self._tables.connection.execute(
            "UPDATE account SET hash = ? WHERE key = ?", (stored, address.key)
        )
        return self._tables.connection.changes() > 0


def _check_password(password: str) -> None:
    if not password:
        raise Refused("the password is empty")
    if not passwords.is_possible(password):
        raise Refused(
            f"the password is longer than {passwords.MAX_PASSWORD} octets or has a NUL in it"
        )


def _scheme(stored: str) -> str:
    try:
        return split(stored)[0]
    except Uncheckable:
        return "unknown"
