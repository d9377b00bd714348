"""Who are you: logins, the faces of an avatar, and the directory of accounts and addresses."""

from typing import Protocol, TypeVar

from twisted_mail.interfaces.store import Account, Mailbox
from twisted_mail.interfaces.wire import Peer
from twisted_mail.mail.address import Address
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.directory_entry import DirectoryEntry

AvatarT = TypeVar("AvatarT", covariant=True)


class Login(Protocol[AvatarT]):
    """The portal, for the one face of an avatar that a protocol uses."""

    async def __call__(self, credentials: Credentials, peer: Peer) -> AvatarT:
        """Return the avatar's face; the session ends the login with its ``logout``.

        Raises Refused with the same text after the same time for a wrong password and an unknown name.
        """


class Mailboxes(Protocol):
    """The IMAP face of an avatar."""

    @property
    def name(self) -> str:
        """Return the account's name."""

    async def open(self) -> Account:
        """Return the account's mail, opened at the first call."""

    def logout(self) -> None:
        """End the login."""


class Maildrop(Protocol):
    """The POP3 face of an avatar."""

    @property
    def name(self) -> str:
        """Return the account's name."""

    async def lock(self) -> Mailbox:
        """Open the inbox for this session alone among POP3 sessions (RFC 1939 §4).

        Raises Refused with condition IN-USE when another session holds it.
        """

    def logout(self) -> None:
        """End the login and give the lock back."""


class Submitter(Protocol):
    """The SMTP face of an avatar."""

    @property
    def name(self) -> str:
        """Return the account's name."""

    async def may_send_as(self, address: Address) -> bool:
        """Return whether mail from this account may have ``address`` as its sender."""

    def logout(self) -> None:
        """End the login."""


class AssumedLogin(Protocol):
    """Logs in a user whose password a trusted proxy has checked."""

    async def __call__(self, name: str) -> Submitter:
        """Return the SMTP face of the account of this name. Raises Refused when there is none."""


class Directory(Protocol):
    """The domains, accounts, aliases and mailing lists of this server."""

    def version(self) -> object:
        """Return an object that equals an earlier one if nothing has changed in between.

        It means nothing to another object of this door. Raises Unavailable.
        """

    async def is_ours(self, domain: str) -> bool:
        """Return whether the domain is one of ours."""

    async def account(self, address: Address) -> str | None:
        """Return the name of the account with exactly this address, or None."""

    async def targets(self, address: Address) -> tuple[Address, ...]:
        """Return the targets of the alias with this address, one step; empty if it is no alias."""

    async def find(self, address: Address) -> DirectoryEntry | None:
        """Return what there is at exactly this address; None when its domain is not ours.

        An address in an alias domain is looked up in the domain that it stands for. What takes the rest
        of a domain's mail is at its ``catch_all_address`` (``mail.directory_entry``).
        """

    async def home(self, domain: str) -> str | None:
        """Return the domain that a domain of ours stands for, mostly itself; None if it is not ours."""

    async def members(self, address: Address) -> tuple[Address, ...]:
        """Return the members of an alias or a mailing list, one step, as EXPN lists them."""

    async def may_send_as(self, account: str, address: Address) -> bool:
        """Return whether an account was granted an address as its sender that does not lead to it."""

    async def verify(self, credentials: Credentials) -> str | None:
        """Return the account's name if the password is right, else None after the same time."""
