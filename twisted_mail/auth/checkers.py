"""Credential checkers (twisted.cred), which check passwords.

The configuration names them by ``twisted.cred.strcred`` strings such as ``directory``,
``file:/etc/mail/passwords`` or ``unix``, so any installed plugin can be one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.cred.checkers import ICredentialsChecker, InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import LoginFailed, UnauthorizedLogin
from twisted.cred.strcred import ICheckerFactory, makeChecker
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.plugin import IPlugin
from zope.interface import Interface, implementer

from twisted_mail.auth.avatars import AccountId
from twisted_mail.interfaces import ANYBODY, Directory, LoginAttempt
from twisted_mail.mail.credentials import Credentials

AvatarId = bytes | tuple[()]


class AttemptedPassword(UsernamePassword):
    """A name and a password, with what is known of who tries it."""

    def __init__(self, credentials: Credentials, attempt: LoginAttempt) -> None:
        super().__init__(credentials.name.encode(), credentials.password.encode())
        self.attempt = attempt


def _attempt_of(credentials: IUsernamePassword) -> LoginAttempt:
    return credentials.attempt if isinstance(credentials, AttemptedPassword) else ANYBODY


class INeedsDirectory(Interface):
    """A checker made from a string that needs the directory before it can check."""

    def with_directory(directory: Directory, default_domain: str) -> ICredentialsChecker:
        """Return the checker that asks ``directory``, bare user names completed."""


@implementer(ICredentialsChecker, INeedsDirectory)
@dataclass(frozen=True, slots=True)
class DirectoryChecker:
    """Checks passwords against the directory."""

    directory: Directory | None = None
    default_domain: str = ""
    credentialInterfaces = (IUsernamePassword,)

    def with_directory(self, directory: Directory, default_domain: str) -> "DirectoryChecker":
        """Return the checker that asks ``directory``, bare user names completed."""
        return DirectoryChecker(directory, default_domain)

    def requestAvatarId(self, credentials: IUsernamePassword) -> Deferred[AvatarId]:
        """Return the account's name in UTF-8, an ``AccountId``. Fails with UnauthorizedLogin."""
        return Deferred.fromCoroutine(self._account(credentials))

    async def _account(self, credentials: IUsernamePassword) -> AvatarId:
        if self.directory is None:
            raise LoginFailed("the checker has no directory")
        try:
            name, password = credentials.username.decode(), credentials.password.decode()
        except UnicodeDecodeError:
            raise UnauthorizedLogin from None
        if "@" not in name and self.default_domain:
            name = f"{name}@{self.default_domain}"
        account = await self.directory.verify(Credentials(name, password), _attempt_of(credentials))
        if account is None:
            raise UnauthorizedLogin
        return AccountId(account.encode())


@implementer(ICheckerFactory, IPlugin)
class DirectoryCheckerFactory:
    """Makes the checker that the string ``directory`` stands for."""

    authType = "directory"
    authHelp = "Asks the accounts that the mail server's own configuration names.\n"
    argStringFormat = "No argstring required."
    credentialInterfaces = (IUsernamePassword,)

    def generateChecker(self, argstring: str) -> DirectoryChecker:
        """Return a checker that still needs the directory."""
        if argstring:
            raise ValueError("the checker 'directory' takes no argument")
        return DirectoryChecker()


@implementer(ICredentialsChecker)
@dataclass(frozen=True, slots=True)
class FirstOf:
    """Asks several checkers in order until one knows the name and password.

    A portal by itself keeps only one checker for each kind of credentials. All are asked before a
    refusal, and one that cannot answer turns the refusal into its own failure: the password might
    have been right.
    """

    checkers: Sequence[ICredentialsChecker]
    credentialInterfaces = (IUsernamePassword,)

    def requestAvatarId(self, credentials: IUsernamePassword) -> Deferred[AvatarId]:
        """Return the first avatar's name."""
        return Deferred.fromCoroutine(self._first(credentials))

    async def _first(self, credentials: IUsernamePassword) -> AvatarId:
        failure: Exception = UnauthorizedLogin()
        for checker in self.checkers:
            try:
                found: AvatarId = await maybeDeferred(_ask, checker, credentials)
            except UnauthorizedLogin:
                continue
            except Exception as reason:
                failure = reason
            else:
                return found
        raise failure


def _ask(checker: ICredentialsChecker, credentials: IUsernamePassword) -> Any:
    if not isinstance(checker, DirectoryChecker):  # which knows whether the login is remembered
        _attempt_of(credentials).admit()
    return checker.requestAvatarId(credentials)


def checker(
    descriptions: Iterable[str], directory: Directory, default_domain: str = ""
) -> ICredentialsChecker:
    """Return one checker that asks those which strcred strings describe, in order.

    ``default_domain`` completes a bare user name where the directory is asked. Raises what strcred
    and the checkers' factories do: InvalidAuthType, InvalidAuthArgumentString, ValueError.
    """
    checkers = tuple(_make(text, directory, default_domain) for text in descriptions)
    is_alone = len(checkers) == 1 and isinstance(checkers[0], DirectoryChecker)
    return checkers[0] if is_alone else FirstOf(checkers)


def _make(description: str, directory: Directory, default_domain: str) -> ICredentialsChecker:
    made = _unbound(description)
    if INeedsDirectory.providedBy(made):
        made = made.with_directory(directory, default_domain)
    _check_kind(description, made)
    if isinstance(made, InMemoryUsernamePasswordDatabaseDontUse):
        # strcred fills it with str, while credentials and the checker's own type say bytes.
        made.users = {_octets(name): _octets(word) for name, word in made.users.items()}
    checker: ICredentialsChecker = made
    return checker


def _unbound(description: str) -> Any:
    """Return what strcred makes of a string.

    Our own checker is found without it: to look for a factory it imports all, and so half of Conch.
    """
    name, _, argument = description.partition(":")
    if name == directory_checker.authType:
        return directory_checker.generateChecker(argument)
    return makeChecker(description)  # type: ignore[no-untyped-call]


def _check_kind(description: str, made: ICredentialsChecker) -> None:
    if not any(kind.isOrExtends(IUsernamePassword) for kind in made.credentialInterfaces):
        raise ValueError(f"the checker {description.partition(':')[0]!r} takes no passwords")


def checker_mistake(description: str) -> str:
    """Return what is wrong with a strcred string whose checker is installed; empty if nothing is."""
    try:
        _check_kind(description, _unbound(description))
    except Exception as error:  # the factories of plugins may raise anything
        return str(error) or type(error).__name__
    return ""


def _octets(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


directory_checker = DirectoryCheckerFactory()
