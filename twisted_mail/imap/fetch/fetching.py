r"""Answering one FETCH: what its plan needs is loaded, rendered and written, batch by batch."""

from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, TypeVar

from twisted_mail.imap.bulk_column import BulkColumn
from twisted_mail.imap.fetch.body_sections import (
    BodySectionReader,
    FoundSections,
    SectionSource,
    Value,
)
from twisted_mail.imap.fetch.item import FetchBatch
from twisted_mail.imap.fetch.large_sections import DRAIN_AFTER_OCTETS, LargeSectionSender
from twisted_mail.imap.fetch.plan import FetchPlan
from twisted_mail.imap.selected import Selected
from twisted_mail.interfaces import Blocking, Wire
from twisted_mail.mail.mailbox import flags
from twisted_mail.mail.mailbox.entry import ItemTier, RenderedItems
from twisted_mail.mail.outcome import MailError, Refused, Unavailable

MESSAGES_PER_STEP = 250  # messages between two looks at other connections
MAX_RENDERED = 250  # of those whose rendered items or sections are in memory together
# Octets of their messages: items of a message of many parts outgrow it 30 times.
MAX_RENDERED_OCTETS = 2 * 1024 * 1024
_WEIGHT = 128 * 1024  # octets; a larger message counts as one of this size
_SEEN = flags.normal([flags.SEEN])

V = TypeVar("V")


@dataclass(slots=True)
class FetchedData:
    """What is known of some messages, by UID: rendered items, and the values of each bulk column.

    ``changed`` are those just marked as seen; ``unsent`` those of them that were not sent yet.
    """

    changed: frozenset[int] = frozenset()
    unsent: set[int] = field(default_factory=set)
    rendered: dict[int, RenderedItems] = field(default_factory=dict)
    loaded: dict[BulkColumn, dict[int, Any]] = field(default_factory=dict)


class Fetching:
    """Answers one FETCH, batch by batch.

    If it ``shows_gone``, messages that are gone from the store are answered from the view, until the
    client is sent their EXPUNGE (RFC 2180 §4.1.1); the plan must be one that ``is_known``.
    """

    def __init__(
        self,
        selected: Selected,
        wire: Wire,
        blocking: Blocking,
        plan: FetchPlan,
        shows_gone: bool = False,
    ) -> None:
        self._selected = selected
        self._mailbox = selected.mailbox
        self._wire = wire
        self._blocking = blocking
        self._plan = plan
        self._shows_gone = shows_gone
        self._unsent = 0  # octets written since the last drain

    async def answer(self, uids: Sequence[int]) -> int:
        """Answer for each message; return how many were there."""
        answered, is_later = 0, False
        for start in range(0, len(uids), MESSAGES_PER_STEP):
            part = uids[start : start + MESSAGES_PER_STEP]
            if self._are_unmeasured(part):
                part = await self._measured(part)
            for step in self._steps(part):
                if is_later:  # the loop has just given others their turn
                    await self._wire.yield_to_others()
                is_later = True
                if self._plan.marks_seen:
                    answered += await self._fetch_and_mark(step)
                else:
                    answered += await self._fetch(step, FetchedData())
        return answered

    def _are_unmeasured(self, uids: Sequence[int]) -> bool:
        """Return whether messages are to be measured first."""
        plan = self._plan
        is_needed = plan.is_measured or (plan.has_large and len(uids) > 1)
        return is_needed and bool(self._mailbox.columns.unmeasured(uids))

    async def _measured(self, uids: Sequence[int]) -> Sequence[int]:
        """Measure messages; return them without those that cannot be, if dates or sizes are sent."""
        if self._plan.tier is ItemTier.HEADER:
            await self._mailbox.measure_with_headers(uids)  # opens each file once for both
        else:
            await self._mailbox.measure(uids)
        columns = self._mailbox.columns
        unknown = frozenset(columns.unmeasured(uids)) if self._plan.is_measured else ()
        return [uid for uid in uids if uid not in unknown] if unknown else uids

    def _steps(self, uids: Sequence[int]) -> Iterable[Sequence[int]]:
        """Return the UIDs in portions that fit into memory and take little time."""
        is_one = len(uids) == 1 or not self._plan.has_large
        return (uids,) if is_one else self._portions(uids)

    def _portions(self, uids: Sequence[int]) -> Iterator[Sequence[int]]:
        start = weight = 0
        times = len(self._plan.sections) if self._plan.uses_kept_fields else 1
        for at, size in enumerate(self._mailbox.columns.sizes_of(uids)):
            weight += min(size, _WEIGHT) * times
            if weight >= MAX_RENDERED_OCTETS or at - start >= MAX_RENDERED - 1:
                yield uids[start : at + 1]
                start, weight = at + 1, 0
        if start < len(uids):
            yield uids[start:]

    async def _fetch_and_mark(self, uids: Sequence[int]) -> int:
        changed = await self._mark_seen(uids)
        fetched = FetchedData(changed, set(changed))
        try:
            answered = await self._fetch(uids, fetched)
        except MailError:
            await self._unmark_seen(fetched.unsent)
            raise
        await self._unmark_seen(fetched.unsent)
        return answered

    async def _fetch(self, uids: Sequence[int], fetched: FetchedData) -> int:
        plan = self._plan
        if plan.tier is not None:
            fetched.rendered = _present(uids, await self._mailbox.items(uids, plan.tier))
            uids = list(fetched.rendered)
        for column in plan.loads:
            found = fetched.loaded[column] = _present(uids, await column.ask(self._mailbox, uids))
            uids = list(found)
        if plan.sections:
            return await self._with_sections(uids, fetched)
        return await self._send(self._batch(uids, fetched))

    async def _mark_seen(self, uids: Sequence[int]) -> frozenset[int]:
        r"""Mark as ``\Seen``; return the UIDs that were not. What cannot be is read all the same."""
        if self._selected.is_read_only:
            return frozenset()
        batch = _batch_of(self._selected, uids)
        pairs = zip(batch.uids, batch.flags, strict=True)
        unseen = [uid for uid, known in pairs if flags.SEEN not in known]
        before = self._mailbox.faulty
        try:
            if unseen:
                await self._mailbox.mark(unseen, "add", _SEEN)
        except (Refused, Unavailable):
            return frozenset()
        unmarked = self._mailbox.faulty - before
        if unmarked and not before:
            self._mailbox.forget_faulty()
        return frozenset(unseen) - unmarked

    async def _unmark_seen(self, uids: Set[int]) -> None:
        r"""Take ``\Seen`` back where a message turned out unreadable: nobody has seen it."""
        if uids:
            with suppress(Refused, Unavailable):
                await self._mailbox.mark(sorted(uids), "remove", _SEEN)

    def _batch(
        self, uids: Sequence[int], fetched: FetchedData, sections: Sequence[Sequence[Value]] = ()
    ) -> FetchBatch:
        batch = _batch_of(self._selected, uids, self._shows_gone)
        if fetched.rendered:
            batch.rendered = list(map(fetched.rendered.__getitem__, batch.uids))
        for column, found in fetched.loaded.items():
            batch.loaded[column] = list(map(found.__getitem__, batch.uids))
        batch.sections = sections
        if sections and len(batch.uids) < len(uids):  # some are gone since they were read
            places = list(map(uids.index, batch.uids))
            batch.sections = [[column[at] for at in places] for column in sections]
        batch.changed = fetched.changed
        fetched.unsent.difference_update(batch.uids)
        if self._selected.view.has_updates and (self._plan.has_flags or batch.changed):
            self._note_flags_sent(batch)
        return batch

    def _note_flags_sent(self, batch: FetchBatch) -> None:
        """Send keywords that the client does not know yet, and note the flags it is about to know."""
        view = self._selected.view
        for line in view.new_keywords():
            self._wire.write(b"* %b\r\n" % line)
        if view.pending.flags:
            view.note_flags_sent(batch.uids if self._plan.has_flags else sorted(batch.changed))

    async def _send(self, batch: FetchBatch) -> int:
        await self._write(self._plan.lines(batch))
        return len(batch.uids)

    async def _write(self, data: bytes) -> None:
        self._wire.write(data)
        self._unsent += len(data)
        if self._unsent >= DRAIN_AFTER_OCTETS:
            await self._wire.drain()
            self._unsent = 0

    # ------------------------------------------------------------ bodies

    async def _with_sections(self, uids: Sequence[int], fetched: FetchedData) -> int:
        rendered = fetched.rendered
        reader = BodySectionReader(
            self._plan.sections, self._mailbox, self._blocking, self._selected.outlines
        )
        kept = self._from_kept(reader, uids, rendered) if self._plan.uses_kept_fields else None
        if kept is not None:
            return await self._send(self._batch(kept.uids, fetched, kept.columns))
        answered, is_later = 0, False
        for group in reader.groups(self._sources(reader, uids, rendered)):
            if is_later:
                await self._wire.yield_to_others()
            is_later = True
            found = await reader.read(group)
            batch = self._batch(found.uids, fetched, found.columns)
            answered += await (self._send_large if found.is_large else self._send)(batch)
        return answered

    def _sources(
        self, reader: BodySectionReader, uids: Sequence[int], rendered: dict[int, RenderedItems]
    ) -> Iterable[SectionSource]:
        """Describe messages to read; what is gone turns out when it is read."""
        sizes = self._mailbox.columns.sizes_of(uids)
        headers = [rendered[uid].header_size for uid in uids] if rendered else repeat(0)
        return map(reader.source, uids, sizes, headers)

    def _from_kept(
        self, reader: BodySectionReader, uids: Sequence[int], rendered: dict[int, RenderedItems]
    ) -> FoundSections | None:
        """Return the sections if those of all messages can be made of fields that were kept."""
        fields = [kept for uid in uids if (kept := rendered[uid].fields) is not None]
        return reader.from_kept(uids, fields) if len(fields) == len(uids) > 0 else None

    async def _send_large(self, batch: FetchBatch) -> int:
        sender = LargeSectionSender(self._mailbox, self._wire, self._write)
        await sender.send(self._plan.pieces(batch))
        return len(batch.uids)


def _present(uids: Sequence[int], values: Sequence[V | None]) -> dict[int, V]:
    """Return the values by UID, without those of messages that are gone."""
    pairs = zip(uids, values, strict=True)
    return {uid: value for uid, value in pairs if value is not None}


def _batch_of(selected: Selected, uids: Sequence[int], shows_gone: bool = False) -> FetchBatch:
    r"""Return the columns of ascending UIDs that the client knows, as they are at this moment.

    Messages that are gone from the store are left out, or there are no dates and sizes. Flags have
    ``\Recent`` where this session has.
    """
    view, columns = selected.view, selected.mailbox.columns
    numbers = view.numbers(uids)
    if isinstance(numbers, range):
        rows = slice(numbers.start - 1, numbers.stop - 1)
        if columns.uids[rows].tolist() == uids:  # none came or went that the client does not know
            flags = view.with_recent(uids, columns.flags[rows])
            return FetchBatch(numbers, uids, flags, columns.dates[rows], columns.sizes[rows])
    if shows_gone:
        known = list(map(view.flags_now, uids))
        return FetchBatch(numbers, uids, view.with_recent(uids, known), (), ())
    return _batch_of_present(selected, [uid for uid in uids if columns.row(uid) is not None])


def _batch_of_present(selected: Selected, uids: Sequence[int]) -> FetchBatch:
    view, columns = selected.view, selected.mailbox.columns
    rows = [row for row in map(columns.row, uids) if row is not None]
    return FetchBatch(
        view.numbers(uids),
        uids,
        view.with_recent(uids, [columns.flags[row] for row in rows]),
        [columns.dates[row] for row in rows],
        [columns.sizes[row] for row in rows],
    )
