"""The avatar: what a login hands to a protocol.

The zope interfaces are for twisted.cred, which selects a face by its interface at run time. Their members
are those of the doors ``Mailboxes``, ``Maildrop`` and ``Submitter``, which describe them.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from zope.interface import Attribute, Interface, implementer

from twisted_mail.interfaces import Account, Directory, Mailbox, Store
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.directory_entry import MAX_ALIAS_ADDRESSES, subaddress_splits
from twisted_mail.mail.outcome import Unavailable


class AccountId(bytes):
    """An avatar id that is the name of an account, spelled as in the directory."""

    __slots__ = ()


class IMailboxes(Interface):
    """The IMAP face of an avatar: ``interfaces.Mailboxes``."""

    name = Attribute("The account's name.")

    async def open() -> Account:
        """Return the account's mail, opened at the first call."""

    async def is_valid() -> bool:
        """Return whether the login still holds."""

    def logout() -> None:
        """End the login."""


class IMaildrop(Interface):
    """The POP3 face of an avatar: ``interfaces.Maildrop``."""

    name = Attribute("The account's name.")

    async def lock() -> Mailbox:
        """Open the inbox for this session alone."""

    async def is_valid() -> bool:
        """Return whether the login still holds."""

    def logout() -> None:
        """End the login and release the lock."""


class ISubmitter(Interface):
    """The SMTP face of an avatar: ``interfaces.Submitter``."""

    name = Attribute("The account's name.")

    async def may_send_as(address: Address) -> bool:
        """Return whether mail from this account may have the address as its sender."""

    async def is_valid() -> bool:
        """Return whether the login still holds."""

    def logout() -> None:
        """End the login."""


@implementer(IMailboxes, IMaildrop, ISubmitter)
@dataclass(slots=True)
class Avatar:
    """The account of one login, with all three faces. Its mail is opened at first use.

    ``name`` and ``made_at``, when the account was made, are as the directory has them just now.
    """

    name: str
    store: Store
    directory: Directory
    separators: str = "+"  # each may stand before a detail (RFC 5233 §1)
    made_at: int = 0
    _version: object = field(default=None, init=False)  # of the directory, when the login held last
    _account: Account | None = field(default=None, init=False)
    _release_maildrop: Callable[[], None] | None = field(default=None, init=False)  # the maildrop

    async def open(self) -> Account:
        """Return the account's mail, opened at the first call."""
        if self._account is None:
            self._account = await self.store.account(self.name)
        return self._account

    async def lock(self) -> Mailbox:
        """Open the inbox for this session alone among POP3 sessions (RFC 1939 §4).

        Raises Refused with condition IN-USE.
        """
        account = await self.open()
        self._release_maildrop = await account.lock_maildrop()
        try:
            return await account.open("INBOX")
        except BaseException:
            self.logout()
            raise

    async def is_valid(self) -> bool:
        """Return whether the account is still there, is enabled, and is the one that logged in.

        As long as nobody changes the directory this costs one look at its version. While that cannot be
        read the login holds.
        """
        try:
            version = self.directory.version()
            if version == self._version:
                return True
            found = await self.directory.find(parse(self.name))
        except Unavailable:
            return True
        if found is None or found.account != self.name or not found.is_enabled:
            return False
        if found.made_at != self.made_at:
            return False
        self._version = version
        return True

    def logout(self) -> None:
        """Release the lock if this avatar has it; harmless when repeated."""
        if self._release_maildrop is not None:
            self._release_maildrop()
            self._release_maildrop = None

    async def may_send_as(self, address: Address) -> bool:
        """Return whether the address is the account's own, leads to it, or was granted to it.

        That is: an address of the account, with a detail (``alice+lists``) or without, any alias that
        leads here in one or more steps, and what the directory grants besides. The null sender
        impersonates nobody and is always allowed.
        """
        if address.is_null or await self._leads_here(address):
            return True
        for candidate in self._with_and_without_detail(address):
            if await self.directory.may_send_as(self.name, candidate):
                return True
        return False

    async def _leads_here(self, address: Address) -> bool:
        seen: set[Address] = set()
        waiting = deque(self._with_and_without_detail(address))
        while waiting and len(seen) < MAX_ALIAS_ADDRESSES:
            candidate = waiting.popleft()
            if candidate in seen:
                continue
            seen.add(candidate)
            if await self.directory.account(candidate) == self.name:
                return True
            most = MAX_ALIAS_ADDRESSES - len(seen) - len(waiting)
            for target in (await self.directory.targets(candidate))[: max(0, most)]:
                waiting += self._with_and_without_detail(target)
        return False

    def _with_and_without_detail(self, address: Address) -> list[Address]:
        users = (user for user, _ in subaddress_splits(address.local, self.separators))
        return [address, *(Address(user, address.domain) for user in users)]
