"""Passwords are checked in the main process, whatever process their logins come to.

So one line decides who is next, a guesser gains nothing by coming to other processes, and hashes take the
memory and the threads of one process. What was right is remembered by the worker, too: who logs in there
again soon needs nobody else.
"""

import itertools
from functools import partial

from twisted.internet.defer import Deferred

from twisted_mail.auth.throttle import LoginThrottle
from twisted_mail.directory.password_checks import PasswordChecks
from twisted_mail.interfaces import Clock, LoginAttempt
from twisted_mail.net.process.process_bridge import Bridge

WATCH_SECONDS = 0.5  # between two looks at who has hung up while a password waits


class RemotePasswords:
    """Has the main process check passwords. Fulfils ``directory.password_checks.PasswordChecks``."""

    def __init__(self, bridge: Bridge, clock: Clock) -> None:
        self._bridge = bridge
        self._clock = clock
        self._numbers = itertools.count(1)
        self._waiting: dict[int, LoginAttempt] = {}
        self._is_watching = False

    async def check(
        self, attempt: LoginAttempt, name: str, stored: str | None, password: str
    ) -> str | None:
        """Return what the main process does. Raises Unavailable, also when it does not answer."""
        number = next(self._numbers)
        self._waiting[number] = attempt
        if not self._is_watching:
            self._is_watching = True
            Deferred.fromCoroutine(self._watch())
        try:
            found: str | None = await self._bridge.call(
                "passwords", "check", number, attempt.network, name, stored, password
            )
            return found
        finally:
            self._waiting.pop(number, None)

    async def _watch(self) -> None:
        """Report clients that have hung up: the others go first."""
        await self._clock.sleep(WATCH_SECONDS)
        while self._waiting:
            for number, attempt in list(self._waiting.items()):
                if attempt.has_hung_up():
                    del self._waiting[number]
                    self._bridge.notify("passwords", "hang_up", number)
            await self._clock.sleep(WATCH_SECONDS)
        self._is_watching = False


class PasswordService:
    """Checks passwords for a worker; ``checks`` are those of the main process."""

    def __init__(self, checks: PasswordChecks, throttle: LoginThrottle) -> None:
        self._checks = checks
        self._throttle = throttle
        self._waiting: set[int] = set()

    async def check(
        self, number: int, network: str, name: str, stored: str | None, password: str
    ) -> str | None:
        """Check a password as ``PasswordChecks`` does; ``number`` is the worker's for this login."""
        self._waiting.add(number)
        attempt = LoginAttempt(
            network, lambda: number not in self._waiting, partial(self._throttle.admit, network)
        )
        try:
            return await self._checks.check(attempt, name, stored, password)
        finally:
            self._waiting.discard(number)

    def hang_up(self, number: int) -> None:
        """Note that a client has hung up whose password waits."""
        self._waiting.discard(number)

    def close(self) -> None:
        """Note that nobody waits any more: the worker has ended."""
        self._waiting.clear()
