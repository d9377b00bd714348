"""Rendering the headers of messages in the background, so that the first list of a mailbox is at hand.

Mail that is noticed as it comes is rendered then. What came by APPEND, in masses, or before this server
did, waits here until nobody has used its account for a moment. Then a few messages at a time are
rendered, the newest first, and never for long: who asks for something meanwhile waits for one piece of
work at most.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from twisted_mail.interfaces import Clock, Renderer
from twisted_mail.mail.mailbox.change import Change, EntriesAdded
from twisted_mail.mail.outcome import MailError
from twisted_mail.store.reading.items import lacking, render_lacking
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.work.lane import AccountLane

IDLE_SECONDS = 1.0  # since an account was last used
ROUND_SECONDS = 0.2  # of work at a time
PIECE = 100  # messages rendered in one go
MAX_NOTED = 5000  # messages of one mailbox that are remembered; of more, the index is asked
REPORT_SECONDS = 10.0  # between two reports
REPORTED = 500  # messages: less work than this is not worth a report

Report = Callable[[str, str, int, int], None]  # account, mailbox, messages done, of how many


@dataclass(slots=True)
class RenderingTask:
    """The messages of one mailbox whose headers wait, in the order in which they came.

    With ``must_compare`` there may be more, of which the index is asked once those are done: they have
    UIDs lower than ``below``. ``beyond`` is how many of them there were.
    """

    todo: list[int] = field(default_factory=list)
    must_compare: bool = False
    below: float = math.inf
    beyond: int = 0
    total: int = 0
    reported_at: float = -math.inf

    @property
    def left(self) -> int:
        """Return how many messages are known to wait."""
        return len(self.todo) + self.beyond

    def note(self, uids: Sequence[int] | None) -> None:
        """Note messages that came; None: the index is to be asked for them, as it is for very many."""
        if uids is None or len(self.todo) + len(uids) > MAX_NOTED:
            self.must_compare, self.below = True, math.inf
        else:
            self.todo += uids
            self.total += len(uids)

    def learn(self, uids: Sequence[int]) -> None:
        """Take the newest of the ascending UIDs that the index lacks, before what came meanwhile."""
        waiting = [uid for uid in uids if uid < self.below]
        newest = waiting[-MAX_NOTED:]
        self.todo[:0] = newest
        self.beyond = len(waiting) - len(newest)
        if self.beyond:
            self.must_compare, self.below = True, newest[0]
        self.total = max(self.total, self.left)


@dataclass(slots=True)
class RenderingBacklog:
    """What waits for one account."""

    account: str
    tasks: dict[Folder, RenderingTask] = field(default_factory=dict)


class BackgroundRendering:
    """What waits for all accounts of a store, on the reactor thread."""

    def __init__(self, clock: Clock, render: Renderer, report: Report | None = None) -> None:
        self._clock = clock
        self._render = render
        self._report = report
        self._waiting: WeakKeyDictionary[AccountLane, RenderingBacklog] = WeakKeyDictionary()
        # What these lack is noted as it comes; with the number of the index's losses when it was asked.
        self._compared: WeakKeyDictionary[Folder, int] = WeakKeyDictionary()

    @property
    def is_needed(self) -> bool:
        """Return whether anything waits."""
        return any(backlog.tasks for backlog in self._waiting.values())

    def note(self, account: str, lane: AccountLane, folder: Folder, change: Change | None) -> None:
        """Note a change in a mailbox; None: there may be messages that nobody noted."""
        uids = change.uids if isinstance(change, EntriesAdded) else None
        is_compared = self._compared.get(folder) == lane.tree.losses
        if uids is None and (change is not None or is_compared):
            return
        backlog = self._waiting.setdefault(lane, RenderingBacklog(account))
        backlog.tasks.setdefault(folder, RenderingTask()).note(uids)

    async def work(self) -> None:
        """Do a little of what waits, if an account is idle. To be called again and again."""
        lane = next(filter(self._is_idle, self._waiting), None)
        if lane is None:
            return
        backlog = self._waiting[lane] = self._waiting.pop(lane)  # the others go first next time
        end = self._clock.monotonic() + ROUND_SECONDS
        while backlog.tasks and self._is_idle(lane) and self._clock.monotonic() < end:
            folder, task = next(iter(backlog.tasks.items()))
            try:
                is_done = await self._step(lane, folder, task)
            except BaseException as error:
                del backlog.tasks[folder]
                self._compared.pop(folder, None)
                if not isinstance(error, MailError):
                    raise
                continue  # the mailbox is gone, or it is compared when it is next opened
            if is_done:
                del backlog.tasks[folder]
            self._report_progress(backlog.account, folder, task, is_done)
        if not backlog.tasks:
            self._waiting.pop(lane, None)

    def _is_idle(self, lane: AccountLane) -> bool:
        return self._clock.monotonic() - lane.used_at >= IDLE_SECONDS and not lane.is_stalled

    async def _step(self, lane: AccountLane, folder: Folder, task: RenderingTask) -> bool:
        """Do one piece of work; return whether it was the last for this mailbox."""
        if task.todo:
            await self._render_some(lane, folder, task)
        elif task.must_compare:
            await self._compare(lane, folder, task)
        return not (task.todo or task.must_compare)

    async def _compare(self, lane: AccountLane, folder: Folder, task: RenderingTask) -> None:
        task.must_compare = False
        version, losses = self._render.version, lane.tree.losses
        task.learn(await lane.background.perform_on(folder, lacking, version))
        self._compared[folder] = losses

    async def _render_some(self, lane: AccountLane, folder: Folder, task: RenderingTask) -> None:
        """Render the newest; those for which there was no time wait on."""
        piece = task.todo[-PIECE:]
        del task.todo[-PIECE:]
        piece.reverse()
        number = await lane.background.perform_on(folder, render_lacking, piece, self._render)
        task.todo += reversed(piece[number:])

    def _report_progress(
        self, account: str, folder: Folder, task: RenderingTask, is_done: bool
    ) -> None:
        if self._report is None or task.total < REPORTED:
            return
        now = self._clock.monotonic()
        if is_done or now - task.reported_at >= REPORT_SECONDS:
            task.reported_at = now
            self._report(account, folder.name, task.total - task.left, task.total)
