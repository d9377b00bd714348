"""Who are you: logins, avatars, and the directory of those who live here."""

from typing import Protocol, TypeVar

from twisted_mail.interfaces.store import Account, Mailbox
from twisted_mail.interfaces.wire import Peer
from twisted_mail.mail.address import Address
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.directory_entry import DirectoryEntry

AvatarT = TypeVar("AvatarT", covariant=True)


class Login(Protocol[AvatarT]):
    """The portal, for the one face that a protocol speaks."""

    async def __call__(self, credentials: Credentials, peer: Peer) -> AvatarT:
        """Return the avatar's face, which the session gives back with its ``logout``.

        Raises Refused, with the same words after the same time for a wrong password and an unknown
        name.
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
        """Say whether mail of this account may carry ``address`` as its sender."""

    def logout(self) -> None:
        """End the login."""


class AssumedLogin(Protocol):
    """Lets somebody submit whose password a trusted proxy has checked."""

    async def __call__(self, name: str) -> Submitter:
        """Return the SMTP face of the account of this name. Raises Refused when there is none."""


class Directory(Protocol):
    """Who lives here."""

    def version(self) -> object:
        """Return an object that equals an earlier one if nothing has changed in between.

        It means nothing to another object of this door. Raises Unavailable.
        """

    async def is_ours(self, domain: str) -> bool:
        """Say whether mail for the domain is kept here."""

    async def account(self, address: Address) -> str | None:
        """Return the name of the account that has this very address, or None."""

    async def targets(self, address: Address) -> tuple[Address, ...]:
        """Return where the alias of this address leads, one step; empty when it is no alias."""

    async def find(self, address: Address) -> DirectoryEntry | None:
        """Return all that lives under this very address; None when its domain is not ours.

        An address in a domain that is an alias of another is looked for there, and what takes the
        rest of a domain's mail under ``catch_all`` (mail/directory_entry.py).
        """

    async def home(self, domain: str) -> str | None:
        """Return the domain of ours that a domain is, or is another name of; None if not ours."""

    async def members(self, address: Address) -> tuple[Address, ...]:
        """Return who gets what is sent to an alias or a mailing list, one step, as EXPN tells it."""

    async def may_send_as(self, account: str, address: Address) -> bool:
        """Say whether an account was allowed to send as an address that may not lead to it."""

    async def verify(self, credentials: Credentials) -> str | None:
        """Return the account's name if the password is right, else None, after the same time."""
