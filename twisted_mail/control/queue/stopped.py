"""Doing words with the server stopped: the same as with it, without a reactor."""

import os
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from twisted_mail.control.queue.opened import OpenedQueue, now
from twisted_mail.control.synchronous import run_synchronously
from twisted_mail.interfaces import (
    DamagedRecipient,
    LoadedJob,
    ReportedRecipient,
    SelectedPage,
    SpoolChange,
    WrittenReports,
)
from twisted_mail.journey.day_files import DayFiles
from twisted_mail.journey.event_lines import Event, event_lines
from twisted_mail.journey.search import EVENT_KIND
from twisted_mail.log import LogJournal
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import QueuedJob
from twisted_mail.mail.queued.selection import Selection
from twisted_mail.mail.queued.suspension import Suspension, SuspensionKind
from twisted_mail.mail.queued.wait_reason import WaitReason
from twisted_mail.mail.queued.word import Act, Word
from twisted_mail.queue.events import QueueEvents
from twisted_mail.queue.spool.writing import JobWriter
from twisted_mail.queue.words import queries
from twisted_mail.queue.words.listener import WordDoors, WordListener
from twisted_mail.queue.words.waiting import STOPPED

# What needs the router, to write a report, or what only a dispatcher knows.
NEEDS_SERVER = {Act.FAIL, Act.ASK}
ALL_WORDS = -1  # those that need a server may be many, and are before the others
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


def do_words(queue: OpenedQueue) -> None:
    """Do the words that wait, but for those that need a server. The caller has the lock."""
    lines: list[str] = []
    events: list[Event] = []
    journal = LogJournal(write=lines.append, record=events.append)
    doors = StoppedQueue(queue)
    listener = WordListener(
        WordDoors(doors, doors, doors, doors, journal, QueueEvents(journal), now)
    )
    try:
        run_synchronously(listener.poll())
    finally:
        _log(queue, lines)
        _record(queue, events)


class StoppedQueue:
    """The doors of words over the database alone: nothing is under way that could be stopped."""

    def __init__(self, queue: OpenedQueue) -> None:
        self._queue = queue
        self._writer = JobWriter(queue.connection)

    # ------------------------------------------------------------ the store of words

    async def words(self) -> Sequence[tuple[int, Word | None]]:
        """Return the words that can be done now."""
        found = queries.waiting_words(self._queue.connection, most=ALL_WORDS)
        return [one for one in found if one[1] is None or one[1].act not in NEEDS_SERVER]

    async def last_place(self) -> int:
        """Return the place of the recipient that came last."""
        return queries.last_place(self._queue.connection)

    async def select(self, selection: Selection, now: float, after: int, last: int) -> SelectedPage:
        """Return the next recipients that filters select."""
        return queries.selected_page(self._queue.connection, selection, now, after, last)

    async def damaged(self, selection: Selection, now: float) -> Sequence[DamagedRecipient]:
        """Return recipients that are damaged, and that filters mean."""
        return queries.damaged(self._queue.connection, selection, now)

    async def suspensions(self) -> Sequence[Suspension]:
        """Return what is suspended."""
        return queries.suspensions(self._queue.connection)

    # ------------------------------------------------------------ the spool

    async def apply(self, change: SpoolChange) -> None:
        """Make a change, in one transaction."""
        with self._queue.database.transaction():
            self._writer.apply(change, now=now())

    async def read(self, job: str) -> LoadedJob | None:
        """Return None: no message is needed, for no report is written."""
        return None

    async def write(
        self, job: QueuedJob, message: Message, told: Sequence[ReportedRecipient]
    ) -> WrittenReports:
        """Refuse to write a report: the way to the sender is not known here."""
        raise Unavailable("The server does not run")

    # ------------------------------------------------------------ the dispatcher

    def suspend(self, suspension: Suspension) -> None:
        """Do nothing: the server reads what is suspended when it starts."""

    def resume(self, kind: SuspensionKind, name: str) -> None:
        """Do nothing."""

    def look_again(self, destinations: Collection[Destination], is_at_once: bool) -> None:
        """Do nothing."""

    def destinations_of(self, site: str) -> Collection[Destination]:
        """Return nothing: the sites of destinations are known to a server."""
        return ()

    def site_states(self, site: str) -> Sequence[Mapping[str, Any]]:
        """Return nothing: no site is used."""
        return ()

    def waits_for(self, destination: Destination) -> WaitReason:
        """Return that the server does not run."""
        return STOPPED


def _log(queue: OpenedQueue, lines: Sequence[str]) -> None:
    """Write the events into the mail log, where there is one; the change itself is made already."""
    if not lines or not queue.config.log.file:
        return
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    data = "".join(f"{stamp} {line}\n" for line in lines).encode("utf-8", "backslashreplace")
    with suppress(OSError):
        descriptor = os.open(queue.config.state / queue.config.log.file, _APPEND, 0o640)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)


def _record(queue: OpenedQueue, events: Sequence[Event]) -> None:
    """Write the events into the journey; the change itself is made already."""
    config = queue.config
    if not events or not config.journey.days:
        return
    octets, free = config.journey.event_octets, config.queue.min_free
    files = DayFiles(str(config.journey_folder), EVENT_KIND, config.journey.days, octets, free)
    with suppress(OSError):
        files.append(event_lines(events), now())
    files.close()
