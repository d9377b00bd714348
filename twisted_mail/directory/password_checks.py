"""Checking the passwords of logins: those that are remembered at once, others by their slow hash."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import apsw

from twisted_mail.directory import passwords
from twisted_mail.directory.password_cache import PasswordCache
from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.directory.schemes import Uncheckable
from twisted_mail.interfaces import Blocking, LoginAttempt, LoginLine
from twisted_mail.mail.outcome import Unavailable

# Takes name, old and new hash, and puts one in place of the other. Raises apsw.Error, Unavailable.
ReplaceHash = Callable[[str, str, str], Awaitable[object]]


class PasswordChecks(Protocol):
    """Checks passwords against the hashes of accounts."""

    async def check(
        self, attempt: LoginAttempt, name: str, stored: str | None, password: str
    ) -> str | None:
        """Return the hash that an account has from now on if the password is right.

        Returns None for a wrong password, and after the same time where ``stored``, the hash that it has,
        is None: there is no such account. Raises Unavailable, also where the attempt is not admitted.
        """


class RememberedPasswords:
    """Knows right passwords for a while, and asks ``others`` for the rest. Fulfils ``PasswordChecks``."""

    def __init__(
        self, others: PasswordChecks, settings: PasswordSettings, monotonic: Callable[[], float]
    ) -> None:
        self._others = others
        self._cache = PasswordCache(
            settings.remembered_seconds, settings.remembered_logins, monotonic
        )

    async def check(
        self, attempt: LoginAttempt, name: str, stored: str | None, password: str
    ) -> str | None:
        """Return the hash that the account has, at once for a password that is remembered."""
        if stored is not None and self._cache.has(stored, name, password):
            return stored
        found = await self._others.check(attempt, name, stored, password)
        if found is not None:
            self._cache.add(found, name, password)
        return found


class HashedPasswords:
    """Hashes passwords in threads, in their turn. Fulfils ``PasswordChecks``.

    Without a ``login_line`` they wait for ``blocking``. A right password whose hash is of another
    strength than ``settings`` say is hashed anew, and ``replace`` puts that in place of the old one.
    """

    def __init__(
        self,
        blocking: Blocking,
        settings: PasswordSettings,
        login_line: LoginLine | None,
        replace: ReplaceHash,
        report_unwritten: Callable[[apsw.Error], object],
    ) -> None:
        self._blocking = blocking
        self._settings = settings
        self._login_line = login_line
        self._replace = replace
        self._report_unwritten = report_unwritten

    async def check(
        self, attempt: LoginAttempt, name: str, stored: str | None, password: str
    ) -> str | None:
        """Return the hash that the account has, perhaps a new one, if the password is right."""
        attempt.admit()
        is_right = await self._is_right(attempt, name, stored, password)
        if stored is None or not is_right:
            return None
        return await self._renewed(name, stored, password)

    async def _is_right(
        self, attempt: LoginAttempt, name: str, stored: str | None, password: str
    ) -> bool:
        def check() -> bool:
            return passwords.check(stored, password, self._settings)

        try:
            if self._login_line is None:
                return await self._blocking.run(check)
            return await self._login_line.check(attempt, name, stored is not None, check)
        except Uncheckable as error:
            # The administrator learns which account it is from `twisted-mail check`.
            raise Unavailable("Authentication is not possible now") from error

    async def _renewed(self, name: str, stored: str, password: str) -> str:
        """Return the hash the account has from now on: a new one if the old one is of another cost.

        That the database cannot be written now is no reason to refuse a right password.
        """
        if not self._settings.is_upgraded or passwords.is_current(stored, self._settings):
            return stored
        try:
            new = await self._blocking.run(passwords.hash_password, password, self._settings)
            await self._replace(name, stored, new)
        except apsw.Error as error:
            self._report_unwritten(error)
            return stored
        except Unavailable:
            return stored
        return new
