"""The directory as the server asks it: a SQLite file that the control command edits meanwhile.

Answers are kept in memory. Before each use ``PRAGMA data_version`` (2 microseconds) shows whether anybody
has committed since; then all answers are forgotten. So the very next command of any client sees what the
control command has changed. What is not in memory is read in a thread.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import apsw

from twisted_mail.directory import schema
from twisted_mail.directory.password_checks import (
    HashedPasswords,
    PasswordChecks,
    RememberedPasswords,
)
from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.directory.record_reader import AddressRecord, RecordReader
from twisted_mail.interfaces import (
    ANYBODY,
    Blocking,
    FaultReport,
    LoginAttempt,
    LoginLine,
    unreported,
)
from twisted_mail.mail.address import Address, canonical_name, parse
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.directory_entry import NO_ENTRY, DirectoryEntry, catch_all_address
from twisted_mail.mail.outcome import Unavailable

T = TypeVar("T")

MAX_RECORDS = 50_000  # answers in memory, about 0.5 KiB each; unknown addresses are answers too


class SqliteDirectory:
    """Fulfils ``interfaces.Directory`` over the file at ``path``, made when missing.

    ``blocking`` runs look-ups, ``password_blocking`` password checks, which wait in ``login_line``; these
    limit how many run and wait, and raise Unavailable beyond that. Where another process checks
    passwords, ``password_checks`` asks it. ``passwords`` are the checks, and what is remembered of them.
    ``extra_domains`` are ours besides those in the database. All methods belong to one thread. Raises
    ``schema.DirectoryUnusable``.
    """

    def __init__(
        self,
        path: Path,
        blocking: Blocking,
        password_blocking: Blocking,
        settings: PasswordSettings | None = None,
        extra_domains: Iterable[str] = (),
        monotonic: Callable[[], float] = time.monotonic,
        report_fault: FaultReport = unreported,
        login_line: LoginLine | None = None,
        password_checks: PasswordChecks | None = None,
    ) -> None:
        self._path = str(path)
        self._report_fault = report_fault
        # used in the lane only
        self._reader = RecordReader(schema.open_database(path), extra_domains)
        self._watch = schema.open_database(path)  # used in this thread only, and never waits
        self._watch.set_busy_timeout(0)
        self._lane = blocking.lane()
        settings = settings or PasswordSettings()
        self.passwords = RememberedPasswords(
            password_checks
            or HashedPasswords(
                password_blocking, settings, login_line, self._replace_hash, self._note_fault
            ),
            settings,
            monotonic,
        )
        self._version: object = None
        self._records: dict[str, AddressRecord] = {}
        # by local part, as spelled, and domain
        self._entries: dict[tuple[str, str], DirectoryEntry] = {}
        self._homes: dict[str, str] | None = None

    def close(self) -> None:
        """Close the database. Look-ups that still wait for a thread fail with Unavailable."""
        self._watch.close()
        self._reader.close()

    # ------------------------------------------------------------ the door

    def version(self) -> object:
        """Return an object that equals an earlier one if nobody has committed in between."""
        self._forget_if_changed()
        return self._version

    async def is_ours(self, domain: str) -> bool:
        """Return whether the domain is one of ours."""
        return await self.home(domain) is not None

    async def home(self, domain: str) -> str | None:
        """Return the domain of ours that a domain is, or is another name of."""
        self._forget_if_changed()
        return await self._home(domain)

    async def _home(self, domain: str) -> str | None:
        homes = self._homes if self._homes is not None else await self._all_homes()
        return homes.get(domain.lower())

    async def find(self, address: Address) -> DirectoryEntry | None:
        """Return all that lives under this very address; None when its domain is not ours."""
        self._forget_if_changed()
        # The path of each recipient of each message: what was asked before is answered from here.
        entry = self._entries.get((address.local, address.domain))
        return entry if entry is not None else await self._find(address)

    async def _find(self, address: Address) -> DirectoryEntry | None:
        entries = self._entries
        home = await self._home(address.domain)
        if home is None:
            return None
        entry = (await self._record(Address(address.local, home))).entry
        if len(entries) >= MAX_RECORDS:
            entries.clear()
        entries[address.local, address.domain] = entry
        return entry

    async def account(self, address: Address) -> str | None:
        """Return the account's name, its address as it was written when the account was made.

        A disabled account is still there: its mail arrives, and its logins are refused.
        """
        return (await self.find(address) or NO_ENTRY).account

    async def targets(self, address: Address) -> tuple[Address, ...]:
        """Return the targets of the alias, in the order they were given."""
        return (await self.find(address) or NO_ENTRY).targets

    async def members(self, address: Address) -> tuple[Address, ...]:
        """Return the addresses that an alias leads to, or those of a list's members, at most 1000."""
        entry = await self.find(address) or NO_ENTRY
        if entry.list is None:
            return entry.targets
        texts = await self._read(self._reader.read_members, parse(entry.list).key)
        return tuple(parse(text) for text in texts)

    async def may_send_as(self, account: str, address: Address) -> bool:
        """Return whether the account has been granted to send as an address of others."""
        granted = (await self._record_of_name(account)).may_send_as
        if not granted:
            return False
        domains = {address.domain, await self.home(address.domain) or address.domain}
        return any(
            one.key in granted
            for domain in domains
            for one in (Address(address.local, domain), catch_all_address(domain))
        )

    async def verify(self, credentials: Credentials, attempt: LoginAttempt = ANYBODY) -> str | None:
        """Return the account's name if the password is right and the account is enabled.

        The name may be in another name of the account's domain, as the addresses of its mail are.
        A login that is remembered is right at once; others wait for their turn, and to be admitted. A
        name to act as (RFC 4616 §2) is not looked at.
        """
        record = await self._record_of_name(credentials.name)
        name, stored = record.entry.account, record.hash
        password = credentials.password
        if name is None or stored is None:
            given = canonical_name(credentials.name[:1000])
            await self.passwords.check(attempt, given, None, password)
            return None
        is_right = await self.passwords.check(attempt, name, stored, password) is not None
        return name if is_right and record.entry.is_enabled else None

    async def _replace_hash(self, name: str, old: str, new: str) -> None:
        await self._lane.run(self._reader.replace_hash, name, old, new)

    # ------------------------------------------------------------ look-ups

    def _forget_if_changed(self) -> None:
        try:
            # A statement that is kept prepared, which ``pragma`` is not: half the time.
            version: object = self._watch.execute("PRAGMA data_version").fetchall()
        except apsw.BusyError:
            version = object()  # somebody recovers the file: anything may have changed
        except apsw.Error as error:
            raise self._unavailable(error) from error
        if version != self._version:
            self._version = version
            self._records = {}
            self._entries = {}
            self._homes = None

    async def _all_homes(self) -> dict[str, str]:
        version = self._version
        homes = await self._read(self._reader.read_homes)
        if version == self._version:
            self._homes = homes
        return homes

    async def _record_of_name(self, name: str) -> AddressRecord:
        self._forget_if_changed()
        try:
            address = parse(name)
        except ValueError:  # not an address, so nobody's name
            return AddressRecord()
        home = await self._home(address.domain)
        own = address if home in (None, address.domain) else Address(address.local, home)
        return await self._record(own)

    async def _record(self, address: Address) -> AddressRecord:
        key = address.key
        known = self._records.get(key)
        if known is not None:
            return known
        # An answer that was on its way while something changed is not kept.
        records = self._records
        record = await self._read(self._reader.read_record, key)
        if len(records) >= MAX_RECORDS:
            records.clear()
        records[key] = record
        return record

    async def _read(self, work: Callable[..., T], *args: str) -> T:
        try:
            return await self._lane.run(work, *args)
        except apsw.Error as error:
            raise self._unavailable(error) from error

    def _note_fault(self, error: apsw.Error) -> None:
        self._report_fault(self._path, error)

    def _unavailable(self, error: apsw.Error) -> Unavailable:
        self._note_fault(error)
        return Unavailable("The directory cannot be read now")
