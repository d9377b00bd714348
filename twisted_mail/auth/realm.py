"""The one portal (twisted.cred), and the login doors through which sessions use it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar, cast

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred
from zope.interface import Interface, implementer

from twisted_mail.auth.avatars import AccountId, Avatar, IMailboxes, IMaildrop, ISubmitter
from twisted_mail.auth.checkers import AttemptedPassword
from twisted_mail.auth.throttle import LoginThrottle, network
from twisted_mail.interfaces import (
    ANYBODY,
    Clock,
    Directory,
    Journal,
    Login,
    LoginAttempt,
    Mailboxes,
    Maildrop,
    Peer,
    Store,
    Submitter,
)
from twisted_mail.mail.address import canonical_name, parse
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.directory_entry import DirectoryEntry
from twisted_mail.mail.outcome import MailError, Outcome, Refused, Unavailable

_WRONG = Outcome(535, "5.7.8", "Authentication credentials invalid")
_NOT_AS_OTHER = Outcome(535, "5.7.8", "Acting as another user is not allowed")
_NO_ACCOUNT = Outcome(550, "5.7.8", "There is no such account")
_CANNOT = Outcome(454, "4.7.0", "Temporary authentication failure")
_FACES = (IMailboxes, IMaildrop, ISubmitter)

LoggedIn = tuple[type[Interface], object, Callable[[], None]]
Face = TypeVar("Face", Mailboxes, Maildrop, Submitter)


class LoginWithoutAccount(UnauthorizedLogin):
    """A checker knows the name and password, and the directory has no account of the name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the password of {name} is right, but there is no such account:"
            f" twisted-mail account add {name} --no-password"
        )


@implementer(IRealm)
@dataclass(frozen=True, slots=True)
class Realm:
    """Gives an avatar to each login that a checker has accepted.

    Checkers return an ``AccountId``, or the name that the user gave; ``default_domain`` completes a bare
    user name. Who may log in, and where their mail goes, is the directory's to say: a checker has checked
    a password and no more. Each of the ``separators`` may stand before a detail.
    """

    store: Store
    directory: Directory
    default_domain: str
    separators: str = "+"

    def requestAvatar(
        self, avatarId: object, mind: object, *interfaces: type[Interface]
    ) -> Deferred[LoggedIn]:
        """Return the first face asked for that an avatar has, the avatar, and its logout."""
        face = next((one for one in interfaces if one in _FACES), None)
        if face is None:
            raise NotImplementedError("an avatar has the faces IMailboxes, IMaildrop, ISubmitter")
        return Deferred.fromCoroutine(self._find(avatarId, face))

    async def _find(self, avatar_id: object, face: type[Interface]) -> LoggedIn:
        """Find the account of a login that a checker has accepted: the one that its mail goes to.

        Raises LoginWithoutAccount, and UnauthorizedLogin where logins are disabled.
        """
        if isinstance(avatar_id, AccountId):
            name = avatar_id.decode()
        else:
            name = account_name(avatar_id, self.default_domain)
        found = await self.directory.find(parse(name))
        if found is None or found.account is None:
            raise LoginWithoutAccount(name)
        if not found.is_enabled:
            raise UnauthorizedLogin
        avatar = self._avatar(found.account, found)
        return face, avatar, avatar.logout

    def _avatar(self, name: str, entry: DirectoryEntry) -> Avatar:
        return Avatar(name, self.store, self.directory, self.separators, entry.made_at)

    async def assume(self, name: str) -> Submitter:
        """Return the SMTP face of an account without asking for a password.

        Fulfils ``interfaces.AssumedLogin``. Raises Refused when there is no such account, or its
        logins are disabled.
        """
        try:
            found = await self.directory.find(parse(account_name(name, self.default_domain)))
        except UnauthorizedLogin:
            found = None
        if found is None or found.account is None or not found.is_enabled:
            raise Refused(_NO_ACCOUNT)
        return self._avatar(found.account, found)


def account_name(avatar_id: object, default_domain: str) -> str:
    """Return the account that an avatar id names, in its canonical spelling, with its domain.

    Raises UnauthorizedLogin for the anonymous avatar and for what is no address.
    """
    try:
        name = avatar_id.decode() if isinstance(avatar_id, bytes) else avatar_id
        if not isinstance(name, str):
            raise UnauthorizedLogin
        return parse(name if "@" in name else f"{name}@{default_domain}").key
    except ValueError:
        raise UnauthorizedLogin from None


@dataclass(frozen=True)  # without slots: typing sets an attribute on an instance of a generic class
class PortalLogin(Generic[Face]):
    """The portal for one face of the avatar; fulfils ``interfaces.Login``.

    ``directory`` and ``default_domain``, which completes a bare user name, are those of the realm.
    """

    portal: Portal
    interface: type[Interface]
    directory: Directory
    default_domain: str
    throttle: LoginThrottle
    clock: Clock
    journal: Journal

    async def __call__(
        self,
        credentials: Credentials,
        peer: Peer,
        has_hung_up: Callable[[], bool] = ANYBODY.has_hung_up,
    ) -> Face:
        """Return the avatar's face.

        Raises Refused with the same text after the same time whether name or password is wrong, and
        Unavailable when that cannot be checked.
        """
        where = network(peer)
        attempt = LoginAttempt(where, has_hung_up, partial(self.throttle.admit, where))
        began = self.clock.monotonic()
        try:
            avatar = await self._avatar(credentials, attempt)
        except UnauthorizedLogin as refused:
            if isinstance(refused, LoginWithoutAccount):
                self.journal.warned("login:", str(refused))
            await self.throttle.hold_back(await self._counted_name(credentials.name), peer, began)
            raise Refused(_WRONG, "AUTHENTICATIONFAILED") from None
        except MailError:
            raise
        except Exception:
            self.journal.failed("login")
            raise Unavailable(_CANNOT) from None
        self.throttle.forgive(avatar.name)
        return cast("Face", avatar)

    async def _avatar(self, credentials: Credentials, attempt: LoginAttempt) -> Avatar:
        known = AttemptedPassword(credentials, attempt)
        _, avatar, logout = await self.portal.login(known, None, self.interface)
        avatar = cast("Avatar", avatar)
        if not self._may_act(credentials, avatar.name):
            logout()
            raise Refused(_NOT_AS_OTHER, "AUTHORIZATIONFAILED")
        return avatar

    def _may_act(self, credentials: Credentials, account: str) -> bool:
        wanted = credentials.acting_as
        return wanted in ("", credentials.name) or self._complete(wanted) == canonical_name(account)

    async def _counted_name(self, name: str) -> str:
        """Return the name under which failures are counted: one for all names of an account's domain."""
        local, _, domain = self._complete(name).rpartition("@")
        try:
            home = await self.directory.home(domain)
        except Unavailable:
            home = None
        return f"{local}@{home or domain}"

    def _complete(self, name: str) -> str:
        return canonical_name(name if "@" in name else f"{name}@{self.default_domain}")


@dataclass(frozen=True, slots=True)
class Logins:
    """The login doors of the three protocols, over one portal and one throttle."""

    mailboxes: Login[Mailboxes]
    maildrop: Login[Maildrop]
    submitter: Login[Submitter]


def logins(
    realm: Realm,
    checker: ICredentialsChecker,
    clock: Clock,
    journal: Journal,
    throttle: LoginThrottle,
) -> Logins:
    """Make the one portal of the server, and the login doors over it."""
    portal = Portal(realm, [checker])
    rest = realm.directory, realm.default_domain, throttle, clock, journal
    return Logins(
        PortalLogin[Mailboxes](portal, IMailboxes, *rest),
        PortalLogin[Maildrop](portal, IMaildrop, *rest),
        PortalLogin[Submitter](portal, ISubmitter, *rest),
    )
