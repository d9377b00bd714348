"""Doing what the operator's words ask."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from twisted_mail.interfaces import (
    AlteredSpool,
    Dispatching,
    Journal,
    QueueJournal,
    ReportAction,
    ReportedRecipient,
    Reports,
    SelectedRecipient,
    SpoolChange,
    WordStore,
    WrittenReports,
)
from twisted_mail.mail.outcome import MailError
from twisted_mail.mail.queued.destination import parse_destination
from twisted_mail.mail.queued.job import QueuedJob
from twisted_mail.mail.queued.selection import Selection
from twisted_mail.mail.queued.suspension import Suspension
from twisted_mail.mail.queued.word import Act, Word
from twisted_mail.queue.words.alterations import DONE, GOES, ON_RECIPIENTS, WordTally
from twisted_mail.queue.words.filters import behind_site

MAX_ASKED = 1000  # destinations that one answer is about
NO_WORD = "this server does not know this word: the command is of another version"
PUT_OFF = ("sender", "account")  # what is suspended so is put off on disk when its turn comes
BUG = "the server failed at this: its log has more"

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WordDoors:
    """What words are done with. The spool is the one through which the dispatcher hears of changes."""

    store: WordStore
    spool: AlteredSpool
    dispatching: Dispatching
    reports: Reports
    journal: Journal
    queue_journal: QueueJournal
    now: Callable[[], float]


class WordListener:
    """Does each word once, and answers it.

    A word that the process ends in the middle of is done again: what it had altered by then is passed
    over, and nobody gets a second report.
    """

    def __init__(self, doors: WordDoors) -> None:
        self._of = doors

    async def poll(self) -> None:
        """Do the words that were given since. To be called about once a second. Raises Unavailable."""
        for number, word in await self._of.store.words():
            text = json.dumps(await self._answer(word))
            await self._of.spool.apply(SpoolChange(answered=[(number, text)]))

    async def _answer(self, word: Word | None) -> Answer:
        if word is None:
            return {"error": NO_WORD}
        try:
            answer = await self._done(word)
        except MailError as error:
            return {"error": error.outcome.text}
        except Exception:  # a bug; without an answer the word would be done again, and again
            self._of.journal.failed(f"the word {word.act.value} for the queue")
            return {"error": BUG}
        if word.act is not Act.ASK:
            self._of.queue_journal.word_done(word, int(answer.get("recipients", 0)))
        return answer

    async def _done(self, word: Word) -> Answer:
        if word.act in ON_RECIPIENTS:
            return await self._alter(word)
        if word.act is Act.ASK:
            return self._asked(word)
        if word.suspension is None:
            return {"error": NO_WORD}
        if word.act is Act.SUSPEND:
            return await self._suspend(word.suspension)
        return await self._resume(word, word.suspension)

    # ------------------------------------------------------------ recipients

    async def _alter(self, word: Word) -> Answer:
        selection, tally = self._located(word.selection), WordTally()
        after: int | None = 0
        last = await self._of.store.last_place()
        while selection is not None and after is not None:
            now = self._of.now()
            page = await self._of.store.select(selection, now, after, last)
            after = page.after
            some = tally.take(word.act, page.found, now)
            if word.act in GOES:
                await self._let_go(word, some, tally)
            else:
                same = set(map(id, page.found))
                await self._change(word, [one for one in some if id(one) not in same])
            destinations = {one.recipient.destination for one in some}
            if destinations:
                self._of.dispatching.look_again(destinations, word.act is Act.RETRY)
        if selection is not None and word.act is Act.REMOVE:
            await self._remove_damaged(word, selection, tally)
        return tally.data()

    async def _remove_damaged(self, word: Word, selection: Selection, tally: WordTally) -> None:
        found = await self._of.store.damaged(selection, self._of.now())
        if found:
            await self._of.spool.apply(SpoolChange(gone=[(one.id, one.number) for one in found]))
            tally.take_damaged(found)
        for one in found:
            text = f"{one.id} to {one.address}, which was damaged, is removed by {word.by}"
            self._of.journal.warned("queue:", text)

    def _located(self, selection: Selection) -> Selection | None:
        if not selection.site:
            return selection
        known = self._of.dispatching.destinations_of(selection.site)
        return behind_site(selection, frozenset(map(str, known)))

    async def _change(self, word: Word, some: Sequence[SelectedRecipient]) -> None:
        if some:
            altered = [(one.job.id, one.recipient) for one in some]
            await self._of.spool.apply(SpoolChange(altered=altered))
            self._note(word, some)

    async def _let_go(
        self, word: Word, some: Sequence[SelectedRecipient], tally: WordTally
    ) -> None:
        if not some:
            return
        gone = [(one.job.id, one.recipient.number) for one in some]
        told = _by_job(some) if word.act is Act.FAIL else []
        written = [await self._report(job, recipients) for job, recipients in told]
        new = [report for one in written for report in one.jobs]
        await self._of.spool.apply(SpoolChange(gone=gone, new=new))
        tally.reports |= {report.job.id for report in new}
        for (job, recipients), one in zip(told, written, strict=True):
            for report in one.jobs:
                self._of.queue_journal.reported(report.job, job, recipients)
            if not one.jobs:
                self._of.queue_journal.reported(None, job, recipients)
        self._note(word, some)

    def _note(self, word: Word, some: Sequence[SelectedRecipient]) -> None:
        for one in some:
            if word.act is Act.FAIL:
                self._of.queue_journal.failed(one.job, one.recipient, "")
            else:
                event = DONE[word.act]
                self._of.queue_journal.altered(one.job, one.recipient, event, word.by)

    async def _report(self, job: QueuedJob, told: Sequence[ReportedRecipient]) -> WrittenReports:
        """Return the reports about recipients who are given up."""
        loaded = await self._of.spool.read(job.id)
        if loaded is None:  # damaged, or gone meanwhile
            return WrittenReports()
        try:
            return await self._of.reports.write(job, loaded.message, told)
        finally:
            loaded.message.blob.close()

    # ------------------------------------------------------------ suspensions and questions

    async def _suspend(self, suspension: Suspension) -> Answer:
        await self._of.spool.apply(SpoolChange(suspended=[suspension]))
        self._of.dispatching.suspend(suspension)
        return {"suspended": str(suspension)}

    async def _resume(self, word: Word, suspension: Suspension) -> Answer:
        kind, name = suspension.kind, suspension.name
        known = await self._of.store.suspensions()
        was_there = any((one.kind, one.name) == (kind, name) for one in known)
        await self._of.spool.apply(SpoolChange(resumed=[(kind, name)]))
        self._of.dispatching.resume(kind, name)
        if kind in PUT_OFF and was_there:
            await self._alter(Word(Act.RETRY, _put_off(suspension), by=word.by))
        return {"resumed": str(suspension), "was_suspended": was_there}

    def _asked(self, word: Word) -> Answer:
        found: dict[str, Any] = {"waits": dict(map(self._waits, word.destinations[:MAX_ASKED]))}
        if word.selection.site:
            known = self._of.dispatching.destinations_of(word.selection.site)
            found["destinations"] = sorted(map(str, known))
            found["sites"] = list(self._of.dispatching.site_states(word.selection.site))
        return found

    def _waits(self, destination: str) -> tuple[str, Answer]:
        found = self._of.dispatching.waits_for(parse_destination(destination))
        data = {"kind": found.kind.value, "until": found.until, "text": found.text}
        return destination, {**data, "site": found.site}


def _put_off(suspension: Suspension) -> Selection:
    """Return what a suspended sender or account has put off."""
    name = suspension.name
    if suspension.kind == "account":
        return Selection(account=name)
    return Selection(sender=f"*{name}" if name.startswith("@") else name)


def _by_job(
    some: Sequence[SelectedRecipient],
) -> list[tuple[QueuedJob, list[ReportedRecipient]]]:
    """Return who is reported as failed, job by job: one report for each message of a page."""
    found = []
    for _, group in groupby(some, key=lambda one: one.job.id):
        together = list(group)
        told = [ReportedRecipient(one.recipient, ReportAction.FAILED) for one in together]
        found.append((together[0].job, told))
    return found
