"""Indexing texts in the background: whose turn it is, and how far it has come.

Mailboxes to which mail came, or in which a search had to read messages, wait here until nobody has used
the account for a moment. Then a few messages at a time are indexed, the newest first; between any two
whoever waits goes on. An account that the store has forgotten meanwhile waits until it is next used.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from twisted_mail.interfaces import Clock
from twisted_mail.mail.mailbox.change import Change, EntriesAdded, EntriesExpunged
from twisted_mail.mail.outcome import MailError
from twisted_mail.store.search.search import Search
from twisted_mail.store.tree.folder import Folder

IDLE_SECONDS = 1.0  # since an account was last used
MAX_WAIT_SECONDS = 60.0  # after which an account is indexed though it is used all the time
ROUND_SECONDS = 0.2  # of work on one account, before it is another's turn
WORK_SECONDS = 0.9  # of work in a second, on accounts that nobody uses
REPORT_SECONDS = 10.0  # between two reports
REPORTED = 500  # messages: less work than this is not worth a report
PIECE = 128  # messages indexed in one go
MAX_NOTED = 1000  # changes remembered singly; for more, the mailbox is compared

Report = Callable[[str, str, int, int], None]  # account, mailbox, messages done, of how many


@dataclass(slots=True)
class IndexingTask:
    """The indexing of one mailbox: UIDs to index and to forget, in the order in which they came.

    With ``must_compare`` there may be more, which the index is to be asked for first.
    """

    must_compare: bool
    todo: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    total: int = 0
    reported_at: float = 0.0

    @property
    def is_done(self) -> bool:
        """Return whether nothing is left."""
        return not (self.must_compare or self.todo or self.gone)

    def compare(self) -> None:
        """Ask the index what there is to do: that is more than is remembered one by one."""
        self.must_compare = True
        self.todo.clear()
        self.gone.clear()

    def learn(self, missing: list[int]) -> None:
        """Take the index's answer; what came while it was asked for comes after it."""
        self.todo[:0] = missing
        self.total = len(self.todo)

    def take(self) -> list[int]:
        """Take the next few UIDs off the list, ascending."""
        taken = sorted(self.todo[-PIECE:])
        del self.todo[-PIECE:]
        return taken


@dataclass(slots=True)
class IndexingBacklog:
    """What waits for one account."""

    since: float
    jobs: dict[Folder, IndexingTask] = field(default_factory=dict)


class Indexing:
    """The indexing of all accounts of a store, on the reactor thread."""

    def __init__(self, clock: Clock, report: Report | None = None) -> None:
        self._clock = clock
        self._report = report
        self._waiting: WeakKeyDictionary[Search, IndexingBacklog] = WeakKeyDictionary()

    # ------------------------------------------------------------ what there is to do

    @property
    def is_needed(self) -> bool:
        """Return whether anything waits."""
        return any(waiting.jobs for waiting in self._waiting.values())

    def note(self, search: Search, folder: Folder, change: Change | None = None) -> None:
        """Note a change in a mailbox; None: it is to be compared with its index."""
        if not search.is_indexed:
            return
        waiting = self._waiting.setdefault(search, IndexingBacklog(self._clock.monotonic()))
        job = waiting.jobs.get(folder)
        if job is None:
            job = waiting.jobs[folder] = IndexingTask(folder not in search.compared)
        match change:
            case None:
                job.compare()
            case EntriesAdded():
                job.todo += change.uids
                job.total += len(change.uids)
            case EntriesExpunged(_, uids, _):
                job.gone += uids
        if not job.must_compare and len(job.todo) + len(job.gone) > MAX_NOTED + job.total:
            job.compare()

    # ------------------------------------------------------------ doing it

    async def work(self) -> None:
        """Do some of what waits, if an account is idle. To be called every second.

        An account that is used all the time has one round of it.
        """
        end = self._clock.monotonic() + WORK_SECONDS
        while self._clock.monotonic() < end:
            search = self._next()
            if search is None:
                return
            is_idle = self._is_idle(search)
            await self._work_on(search)
            if not is_idle:
                return

    async def _work_on(self, search: Search) -> None:
        waiting = self._waiting[search]
        end = self._clock.monotonic() + ROUND_SECONDS
        while waiting.jobs:
            folder = next(iter(waiting.jobs))
            try:
                is_done = await self._step(search, folder, waiting.jobs[folder])
            except BaseException as error:
                waiting.jobs.pop(folder, None)
                if not isinstance(error, MailError):
                    raise
                continue
            if is_done:
                del waiting.jobs[folder]
            if self._clock.monotonic() >= end or not self._may_work(search, waiting):
                break
        else:
            self._waiting.pop(search, None)
            with suppress(MailError):
                await search.tidy()
                if not search.is_in_use():
                    await search.close()  # its descriptors are worth more than its memory

    def _next(self) -> Search | None:
        """Return an account that may be worked on, and let the others go before it next time."""
        for search, waiting in list(self._waiting.items()):
            if self._may_work(search, waiting):
                self._waiting.pop(search)
                self._waiting[search] = waiting
                return search
        return None

    def _may_work(self, search: Search, waiting: IndexingBacklog) -> bool:
        has_waited = self._clock.monotonic() - waiting.since >= MAX_WAIT_SECONDS
        return (has_waited or self._is_idle(search)) and not search.lane.is_stalled

    def _is_idle(self, search: Search) -> bool:
        return self._clock.monotonic() - search.lane.used_at >= IDLE_SECONDS

    async def _step(self, search: Search, folder: Folder, job: IndexingTask) -> bool:
        """Do one piece of work; return whether it was the last."""
        if job.must_compare:
            job.compare()
            job.must_compare = False
            job.learn(await search.missing(folder))
            self._report_progress(search, folder, job)
        elif job.gone:
            gone, job.gone = job.gone, []
            await search.forget(folder, gone)
        elif job.todo:
            if not await search.index(folder, job.take()):
                return True  # the index has trouble: another time
            self._report_progress(search, folder, job)
        return job.is_done

    def _report_progress(self, search: Search, folder: Folder, job: IndexingTask) -> None:
        if self._report is None or job.total < REPORTED:
            return
        now = self._clock.monotonic()
        if not job.todo or job.reported_at == 0 or now - job.reported_at >= REPORT_SECONDS:
            job.reported_at = now
            self._report(search.name, folder.name, job.total - len(job.todo), job.total)
