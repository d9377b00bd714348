"""Who are you: logins, the faces of an avatar, and the directory of accounts and addresses."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from twisted_mail.interfaces.store import Account, Mailbox
from twisted_mail.interfaces.wire import Peer
from twisted_mail.mail.address import Address
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.directory_entry import DirectoryEntry

VALID_SECONDS = 1.0  # that a session takes a login for valid without asking again

AvatarT = TypeVar("AvatarT", covariant=True)


def _no() -> bool:
    return False


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """Who tries a password, for what decides when it is checked, and whether.

    ``network`` is the peer's, empty for this host. ``admit`` is to be called before a password is
    checked, and raises Unavailable where none may be now; a login that is remembered needs no check.
    ``has_hung_up`` returns whether the peer will send no more, and perhaps hears no answer.
    """

    network: str = ""
    has_hung_up: Callable[[], bool] = _no
    admit: Callable[[], None] = _nothing


ANYBODY = LoginAttempt()


class LoginLine(Protocol):
    """The line in which passwords wait to be checked."""

    async def check(
        self, attempt: LoginAttempt, name: str, is_known: bool, work: Callable[[], bool]
    ) -> bool:
        """Return what ``work``, which blocks, does in its turn; it is not done for names not known.

        Raises Unavailable where too many wait.
        """


class Login(Protocol[AvatarT]):
    """The portal, for the one face of an avatar that a protocol uses."""

    async def __call__(
        self, credentials: Credentials, peer: Peer, has_hung_up: Callable[[], bool] = _no
    ) -> AvatarT:
        """Return the avatar's face; the session ends the login with its ``logout``.

        ``has_hung_up`` is the wire's: while others wait, nothing is done for a peer that has gone.
        Raises Refused with the same text after the same time for a wrong password and an unknown name.
        """


class Mailboxes(Protocol):
    """The IMAP face of an avatar."""

    @property
    def name(self) -> str:
        """Return the account's name."""

    async def open(self) -> Account:
        """Return the account's mail, opened at the first call."""

    async def is_valid(self) -> bool:
        """Return whether the login still holds.

        Sessions ask before a command, at most once in ``VALID_SECONDS`` where they have many, and end if
        not.
        """

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

    async def is_valid(self) -> bool:
        """Return whether the login still holds.

        Sessions ask before a command, at most once in ``VALID_SECONDS`` where they have many, and end if
        not.
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

    async def is_valid(self) -> bool:
        """Return whether the login still holds.

        Sessions ask before a command, at most once in ``VALID_SECONDS`` where they have many, and end if
        not.
        """

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

    async def verify(self, credentials: Credentials, attempt: LoginAttempt = ANYBODY) -> str | None:
        """Return the account's name if the password is right, else None after the same time.

        Raises Unavailable, also where the attempt is not admitted.
        """
