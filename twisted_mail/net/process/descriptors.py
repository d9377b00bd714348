"""The descriptors of the process, counted together: sockets, mail, databases and all else.

The system gives a process so many and no more, and who asks for one more is refused, whatever it is for:
a message, a login, a connection. So the files of accounts that were used least recently are closed
before that, and then new connections get the reply that the server is busy.
"""

import os
import resource
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from twisted_mail.interfaces import Blocking
from twisted_mail.net.server.connection_limit import ConnectionLimit

OF_ACCOUNT = 6  # descriptors of an open account: two databases of three files
_FOLDER = "/proc/self/fd"  # has a name for each


@dataclass(frozen=True, slots=True)
class DescriptorLimit:
    """How many descriptors the process may have; ``before`` it asked for all that it can get."""

    number: int
    before: int

    @property
    def summary(self) -> str:
        """Return the line of the log about it, which has the number before only if it was raised."""
        most = f"{self.number} descriptors at most"
        if self.number == self.before:
            return most
        return f"{most}, {self.before} before the server asked for all that it may have"


def raise_descriptor_limit() -> DescriptorLimit:
    """Allow the process as many descriptors as the system lets it have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return DescriptorLimit(soft, soft)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        return DescriptorLimit(soft, soft)
    return DescriptorLimit(hard, soft)


def count_descriptors() -> int:
    """Return how many descriptors are open; 0 where the system does not show them. Blocks a little."""
    try:
        return len(os.listdir(_FOLDER)) - 1  # without that of the folder
    except FileNotFoundError:
        return 0


class DescriptorBudget:
    """Keeps some of ``most`` descriptors free.

    ``close_accounts`` closes that many accounts, those used least recently, and those that nobody has
    used for long.
    """

    def __init__(
        self,
        most: int,
        connections: ConnectionLimit,
        close_accounts: Callable[[int], Awaitable[None]],
        blocking: Blocking,
        count: Callable[[], int] = count_descriptors,
    ) -> None:
        self._most = most
        self._connections = connections
        self._close_accounts = close_accounts
        self._blocking = blocking
        self._count = count
        self._used = most  # as far as is known
        self._calls = 0

    async def work(self) -> None:
        """Count, and close what is too much; to be called some times in a second.

        Where less than half are used, they are counted at every fourth call only.
        """
        self._calls += 1
        if self._calls % 4 and self._used < self._most // 2:
            return
        self._used = await self._blocking.run(self._count)
        if self._used > self._most * 5 // 8:
            too_many = self._used - self._most // 2  # so that it lasts for a while
            await self._close_accounts(-(-too_many // OF_ACCOUNT))
            self._used = await self._blocking.run(self._count)
        else:
            await self._close_accounts(0)
        self._connections.is_short = self._used > self._most * 7 // 8
