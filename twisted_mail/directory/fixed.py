"""A directory written down in advance: for tests, and for a handful of accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from twisted_mail.mail.address import Address
from twisted_mail.mail.credentials import Credentials


@dataclass(frozen=True, slots=True)
class FixedDirectory:
    """Accounts (name to password) and aliases (address to targets), as given.

    The domains are those of the accounts and aliases. Fulfils ``interfaces.Directory``.
    """

    passwords: Mapping[str, str] = field(repr=False)
    aliases: Mapping[str, Sequence[Address]] = field(default_factory=dict)

    async def is_ours(self, domain: str) -> bool:
        """Say whether some account or alias is in the domain."""
        names = [*self.passwords, *self.aliases]
        return any(name.endswith(f"@{domain}") for name in names)

    async def account(self, address: Address) -> str | None:
        """Return the name of the account that has this address; local parts compare without case."""
        name = str(address).lower()
        return name if name in self.passwords else None

    async def targets(self, address: Address) -> tuple[Address, ...]:
        """Return where the alias of this address leads."""
        return tuple(self.aliases.get(str(address).lower(), ()))

    async def verify(self, credentials: Credentials) -> str | None:
        """Return the account's name if the password is right."""
        name = credentials.name.lower()
        return name if self.passwords.get(name) == credentials.password else None
