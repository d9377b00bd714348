"""The directory as people edit it: a plain, synchronous class for the control command.

Every method that alters something is one transaction, durable when it returns; the running server
sees it at its next look-up.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from twisted_mail.directory.editing.accounts import Accounts
from twisted_mail.directory.editing.aliases import Aliases
from twisted_mail.directory.editing.domains import Domains
from twisted_mail.directory.editing.mailing_lists import MailingLists
from twisted_mail.directory.editing.send_as import SendAsGrants
from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.directory.schemes import Uncheckable, check_form
from twisted_mail.directory.tables import Tables
from twisted_mail.mail.address import Address, parse


@dataclass(frozen=True, slots=True)
class DirectoryProblem:
    """Something in the directory that cannot work: where, and what."""

    address: str
    text: str


class DirectoryEditor:
    """Reads and alters domains, accounts, aliases, mailing lists and the rights to send as others.

    ``extra_domains`` are those of the configuration file: accounts may live there too. Each of the
    ``separators`` may stand between a user and a detail, and ``postmasters`` are asked in turn for the
    postmaster of a domain without one. Methods raise Refused for what cannot be done, with a text for
    the administrator, and Unavailable when the file is busy or broken. Raises
    ``schema.DirectoryUnusable``.
    """

    def __init__(
        self,
        path: Path,
        settings: PasswordSettings | None = None,
        extra_domains: Iterable[str] = (),
        now: Callable[[], float] = time.time,
        separators: str = "+",
        postmasters: tuple[Address, ...] = (),
    ) -> None:
        self._tables = Tables(path, extra_domains, separators, postmasters)
        self.domains = Domains(self._tables, now)
        self.accounts = Accounts(self._tables, settings or PasswordSettings(), now)
        self.aliases = Aliases(self._tables)
        self.lists = MailingLists(self._tables, now)
        self.grants = SendAsGrants(self._tables)

    def close(self) -> None:
        """Close the file."""
        self._tables.connection.close()

    def __enter__(self) -> "DirectoryEditor":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def problems(self) -> list[DirectoryProblem]:
        """Return what cannot work: hashes that cannot be checked, aliases that lead nowhere ..."""
        query = self._tables.connection.execute
        found = [
            DirectoryProblem("", str(row[0]))
            for row in query("PRAGMA quick_check")
            if row[0] != "ok"
        ]
        for address, key, stored in query("SELECT address, key, hash FROM account ORDER BY key"):
            if parse(address).key != key:
                found.append(DirectoryProblem(address, "another account has this name"))
            try:
                check_form(stored)
            except Uncheckable as error:
                found.append(DirectoryProblem(address, f"nobody can log in: {error}"))
        found += [DirectoryProblem(*one) for one in self.aliases.problems()]
        found += [DirectoryProblem(*one) for one in self.lists.problems()]
        return found
