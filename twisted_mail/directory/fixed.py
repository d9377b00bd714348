"""A directory written down in advance: for tests, and for a handful of accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from twisted_mail.interfaces import ANYBODY, LoginAttempt
from twisted_mail.mail.address import Address, canonical_name
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.directory_entry import NO_ENTRY, DirectoryEntry


@dataclass(frozen=True, slots=True)
class FixedDirectory:
    """Accounts (name to password) and aliases (address to targets), as given.

    ``programs`` are aliases that lead to programs, by name; ``lists`` are mailing lists with their
    owners' addresses; ``domain_aliases`` are other names of domains; ``grants`` are further addresses
    that accounts may send as, ``@domain`` for all of a domain. The domains are those of the accounts,
    aliases and lists. Fulfils ``interfaces.Directory``.
    """

    passwords: Mapping[str, str] = field(repr=False)
    aliases: Mapping[str, Sequence[Address]] = field(default_factory=dict)
    programs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lists: Mapping[str, Sequence[Address]] = field(default_factory=dict)
    domain_aliases: Mapping[str, str] = field(default_factory=dict)
    grants: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def version(self) -> object:
        """Return the directory itself: it never changes."""
        return id(self)

    async def is_ours(self, domain: str) -> bool:
        """Return whether anything is in the domain, or in the one that it is another name of."""
        return await self.home(domain) is not None

    async def home(self, domain: str) -> str | None:
        """Return the domain of ours that a domain is, or is another name of."""
        home = self.domain_aliases.get(domain, domain)
        names = [*self.passwords, *self.aliases, *self.programs, *self.lists]
        return home if any(name.endswith(f"@{home}") for name in names) else None

    async def find(self, address: Address) -> DirectoryEntry | None:
        """Return all that lives under this very address; spellings of a local part are one."""
        home = await self.home(address.domain)
        if home is None:
            return None
        name = Address(address.local, home).key
        if name in self.passwords:
            return DirectoryEntry(name)
        if name in self.lists:
            return DirectoryEntry(list=name, owners=tuple(self.lists[name]))
        targets, programs = self.aliases.get(name, ()), self.programs.get(name, ())
        return DirectoryEntry(targets=tuple(targets), programs=tuple(programs))

    async def account(self, address: Address) -> str | None:
        """Return the name of the account that has this address."""
        return (await self.find(address) or NO_ENTRY).account

    async def targets(self, address: Address) -> tuple[Address, ...]:
        """Return where the alias of this address leads."""
        return (await self.find(address) or NO_ENTRY).targets

    async def members(self, address: Address) -> tuple[Address, ...]:
        """Return where the alias of this address leads; members of lists are not known here."""
        return await self.targets(address)

    async def may_send_as(self, account: str, address: Address) -> bool:
        """Return whether the account has been granted to send as an address of others."""
        granted = self.grants.get(account, ())
        return address.key in granted or f"@{address.domain}" in granted

    async def verify(self, credentials: Credentials, attempt: LoginAttempt = ANYBODY) -> str | None:
        """Return the account's name if the password is right."""
        attempt.admit()
        local, at, domain = canonical_name(credentials.name).rpartition("@")
        name = f"{local}{at}{self.domain_aliases.get(domain, domain)}"
        return name if self.passwords.get(name) == credentials.password else None
