"""An account's lane: its work in threads, one piece at a time, asked for on the reactor thread."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from twisted_mail.interfaces import Blocking
from twisted_mail.mail.outcome import Refused, Unavailable
from twisted_mail.store.disk.durable import exists
from twisted_mail.store.index.index import Index
from twisted_mail.store.index.rows import MailboxRow
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.lane_events import StoreEvent
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.lookup import look_up
from twisted_mail.store.work.perform import close, perform, perform_on, perform_steps

P = ParamSpec("P")
T = TypeVar("T")

STALLED_SECONDS = 30.0  # for one piece of work: then its disk may never answer


class LaneWork:
    """Pieces of work on one account, each within a transaction; ``_do`` has one done."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    async def _do(self, work: Callable[[], T]) -> T:
        raise NotImplementedError

    async def perform(
        self,
        function: Callable[Concatenate[Tree, UnitOfWork, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do a piece of work on the account within a transaction."""
        return await self._do(partial(perform, self.tree, function, *args, **kwargs))

    async def perform_on(
        self,
        folder: Folder,
        function: Callable[Concatenate[Folder, UnitOfWork, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do a piece of work on one mailbox within a transaction."""
        return await self._do(partial(perform_on, self.tree, folder, function, *args, **kwargs))


class AccountLane(LaneWork):
    """The way to all work on one account.

    What happens in the lane is handed to ``publish``, in order; whoever comes back from the lane hands
    over all that waits, so that nothing is lost when a session ends before its work does. ``used_at`` is
    when work was last asked for that is not done in the ``background``, by the monotonic clock.
    """

    def __init__(self, blocking: Blocking, tree: Tree) -> None:
        super().__init__(tree)
        self.publish: Callable[[StoreEvent], None] = _ignore
        self.background = BackgroundWork(self)
        self.used_at = 0.0
        self._began_at: float | None = None  # the piece of work that a thread is at
        self._blocking = blocking
        self._clock = tree.environment.clock

    # ------------------------------------------------------------ for sessions

    async def _do(self, work: Callable[[], T]) -> T:
        self.note_use()
        return await self.call(work)

    async def perform_steps(
        self, function: Callable[Concatenate[Tree, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do work on the account that needs no transaction, or opens its own."""
        return await self._do(partial(perform_steps, self.tree, function, *args, **kwargs))

    async def look_up(
        self,
        folder: Folder,
        question: Callable[Concatenate[Index, MailboxRow, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Read what the index has of one mailbox, without a transaction if possible (see ``lookup``)."""
        return await self._do(partial(look_up, self.tree, folder, question, *args, **kwargs))

    @property
    def is_idle(self) -> bool:
        """Return whether no work is under way, so that the reactor thread may look at the tree."""
        return self._blocking.is_idle and not self.tree.events

    def note_use(self) -> None:
        """Note that the account is used now."""
        self.used_at = self._clock.monotonic()

    # ------------------------------------------------------------ in the background

    async def patiently(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what one piece of work in the background does, while its disk answers.

        Raises Unavailable when that takes too long, and leaves the work to itself: the background of all
        other accounts is not to wait for this one.
        """
        try:
            return await self._clock.within(STALLED_SECONDS, work)
        except TimeoutError:
            raise Unavailable("The disk does not answer.") from None

    @property
    def is_stalled(self) -> bool:
        """Return whether a piece of work takes so long that others should not wait for its end."""
        began = self._began_at
        return began is not None and self._clock.monotonic() - began >= STALLED_SECONDS

    # ------------------------------------------------------------ for both

    async def call(self, function: Callable[[], T]) -> T:
        """Do anything else in the lane, then publish what happened."""
        try:
            return await self._blocking.run(self._timed, function)
        finally:
            if self.tree.events:
                self.publish_events()

    def _timed(self, function: Callable[[], T]) -> T:
        self._began_at = self._clock.monotonic()
        try:
            return function()
        finally:
            self._began_at = None

    async def close(self) -> None:
        """Close the account's index, which is opened again at the next use."""
        await self.call(partial(close, self.tree))

    def publish_events(self) -> None:
        """Publish what happened in the lane."""
        events = self.tree.events
        try:
            while events:
                self.publish(events.popleft())
        finally:
            if events:  # a watcher raised, and nobody takes reports
                self.publish_events()


class BackgroundWork(LaneWork):
    """Pieces of work that nobody waits for: the account counts as idle meanwhile.

    Where its folder is gone, nothing is made: the account may have been removed, with its mail. Then
    Refused is raised.
    """

    def __init__(self, lane: AccountLane) -> None:
        super().__init__(lane.tree)
        self._lane = lane

    async def _do(self, work: Callable[[], T]) -> T:
        return await self._lane.patiently(self._lane.call(partial(_if_there, self.tree, work)))


def _if_there(tree: Tree, work: Callable[[], T]) -> T:
    with tree.environment.faults.converted(tree.path):
        is_there = exists(tree.disk, tree.path)
    if not is_there:
        raise Refused("The account has no mail.", "NONEXISTENT")
    return work()


def _ignore(event: StoreEvent) -> None:
    """Without an account that has mailboxes open, nobody is interested."""
