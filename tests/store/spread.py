"""A store whose every call goes to the next of several stores over one folder: a server's processes."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import cycle
from typing import Any

from twisted_mail.interfaces import Watcher
from twisted_mail.mail.outcome import MailError
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.testing.doubles import StillClock, finish

TICK = 0.001  # seconds between two calls: names of files say which came first


class SpreadStore:
    """Takes the processes in turn. Fulfils ``interfaces.Store``.

    After each call the others look at the mailboxes that are open there, as they do when they hear of
    an alteration.
    """

    def __init__(self, stores: Sequence[MaildirStore], clock: StillClock) -> None:
        self.stores = stores
        self._clock = clock
        self.open: list[SpreadMailbox] = []
        self._turns = cycle(stores)

    def next(self) -> MaildirStore:
        self._clock.seconds += TICK
        return next(self._turns)

    async def account(self, name: str) -> "SpreadAccount":
        return SpreadAccount(self, name)

    async def deliver(self, *args: Any) -> Any:
        answers = await self.next().deliver(*args)
        await self.settle()
        return answers

    async def detail_mailboxes(self, *args: Any) -> Any:
        return await self.next().detail_mailboxes(*args)

    async def check_quota(self, *args: Any) -> Any:
        return await self.next().check_quota(*args)

    async def settle(self) -> None:
        """Let all processes see what one has done."""
        for mailbox in list(self.open):
            with suppress(MailError):
                await mailbox.inner.refresh()

    async def close(self) -> None:
        for store in self.stores:
            await store.close()


class SpreadAccount:
    """An account in all processes. Fulfils ``interfaces.Account``.

    Who watches it stays in one process, as a session does.
    """

    def __init__(self, store: SpreadStore, name: str) -> None:
        self.store, self.name = store, name
        self._watched: MaildirAccount | None = None

    async def _next(self) -> MaildirAccount:
        return self._watched or await self.store.next().account(self.name)

    def __getattr__(self, method: str) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return await getattr(await self._next(), method)(*args, **kwargs)
            finally:
                await self.store.settle()

        return call

    async def open(self, name: str) -> "SpreadMailbox":
        return SpreadMailbox(self.store, await (await self._next()).open(name))

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        self._watched = self._watched or finish(self._next())
        return self._watched.watch(watcher)


class SpreadMailbox:
    """A mailbox that is open in one process, and altered in it. Fulfils ``interfaces.Mailbox``."""

    def __init__(self, store: SpreadStore, inner: Any) -> None:
        self.store, self.inner = store, inner
        store.open.append(self)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if name not in {"mark", "copy", "move", "expunge"}:
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return await found(*args, **kwargs)
            finally:
                await self.store.settle()

        return call

    def close(self) -> None:
        self.inner.close()
        if self in self.store.open:
            self.store.open.remove(self)
