r"""FETCH and UID FETCH (RFC 3501 §6.4.5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from twisted_mail.imap.command import Command
from twisted_mail.imap.fetch import items
from twisted_mail.imap.fetch.batches import batch_of
from twisted_mail.imap.fetch.body_sections import (
    GROUP_OCTETS,
    BodySectionReader,
    DeferredFields,
    SectionExtent,
    Value,
)
from twisted_mail.imap.fetch.plan import FetchBatch, FetchPlan, compile_plan
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.selected import Selected
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import SELECTED
from twisted_mail.interfaces import Blocking, ConversationEnded, Wire
from twisted_mail.mail.mailbox import flags
from twisted_mail.mail.mailbox.entry import MessageRange, RenderedItems
from twisted_mail.mail.outcome import Refused, Unavailable

T = TypeVar("T")

MESSAGES_PER_STEP = 1000  # messages between two looks at other connections
MAX_RENDERED = 250  # of those whose rendered items or texts are in memory together,
MAX_RENDERED_OCTETS = (
    2 * 1024 * 1024
)  # and their octets: items of a message of many parts outgrow it 30 times
_WEIGHT = 128 * 1024  # octets beyond which a message weighs no more
DRAIN_AFTER_OCTETS = 64 * 1024  # octets between two waits for the client
_SEEN = flags.normal([flags.SEEN])


async def fetch(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Answer FETCH."""
    reader.space()
    numbers = reader.numbers()
    reader.space()
    wanted = items.parse(reader)
    reader.end()
    selected = session.require_selected()
    uids = selected.view.select(numbers, is_uid)
    plan = compile_plan(wanted, is_uid)
    fetching = Fetching(selected, session.wire, session.backend.blocking, plan)
    answered = await fetching.answer(uids)
    if answered < len(uids) and not is_uid:
        raise Refused("Some of the messages are no longer there.", "EXPUNGEISSUED")
    return "FETCH completed."


@dataclass(slots=True)
class FetchedData:
    """What the store told of some messages, by UID; ``changed`` are those just marked as seen."""

    changed: frozenset[int]
    items: dict[int, RenderedItems] = field(default_factory=dict)
    emails: dict[int, str] = field(default_factory=dict)
    threads: dict[int, str] = field(default_factory=dict)


def _present(uids: Sequence[int], found: Sequence[T | None]) -> dict[int, T]:
    return {uid: one for uid, one in zip(uids, found, strict=True) if one is not None}


class Fetching:
    """Answers one FETCH, batch by batch."""

    def __init__(self, selected: Selected, wire: Wire, blocking: Blocking, plan: FetchPlan) -> None:
        self._selected = selected
        self._mailbox = selected.mailbox
        self._wire = wire
        self._plan = plan
        self._texts = BodySectionReader(plan.texts, selected.mailbox, blocking, selected.outlines)
        self._waiting = 0  # octets written since the last drain

    async def answer(self, uids: Sequence[int]) -> int:
        """Answer for each message; return how many were there."""
        answered = 0
        for start in range(0, len(uids), MESSAGES_PER_STEP):
            part = uids[start : start + MESSAGES_PER_STEP]
            if self._plan.needs_sizes:
                await self._mailbox.measure(part)
            for step in self._steps(part):
                await self._wire.yield_to_others()
                answered += await self._step(step)
        return answered

    def _steps(self, uids: Sequence[int]) -> Iterator[Sequence[int]]:
        """Yield a thousand UIDs in portions that fit into memory and take little time."""
        if not self._plan.needs_items and not self._plan.texts:
            yield uids
            return
        start = weight = 0
        times = len(self._plan.texts) if self._plan.needs_kept else 1
        for at, uid in enumerate(uids):
            weight += min(self._size(uid), _WEIGHT) * times
            if weight >= MAX_RENDERED_OCTETS or at - start >= MAX_RENDERED - 1:
                yield uids[start : at + 1]
                start, weight = at + 1, 0
        if start < len(uids):
            yield uids[start:]

    def _size(self, uid: int) -> int:
        columns = self._mailbox.columns
        row = columns.row(uid)
        return 0 if row is None else columns.sizes[row]

    async def _step(self, uids: Sequence[int]) -> int:
        told = FetchedData(await self._mark_seen(uids))
        uids = await self._load(uids, told)
        if self._plan.texts:
            return await self._with_texts(uids, told)
        return await self._send(self._batch(uids, told, {}))

    async def _load(self, uids: Sequence[int], told: FetchedData) -> Sequence[int]:
        """Ask the store what the plan needs; return the UIDs of those that are there."""
        mailbox, plan = self._mailbox, self._plan
        if plan.needs_items:
            told.items = _present(uids, await mailbox.items(uids))
            uids = list(told.items)
        if plan.needs_emails:
            identities = _present(uids, await mailbox.identities(uids))
            told.emails = {uid: identity.email for uid, identity in identities.items()}
            uids = list(told.emails)
        if plan.needs_threads:
            told.threads = _present(uids, await mailbox.threads(uids))
            uids = list(told.threads)
        return uids

    async def _mark_seen(self, uids: Sequence[int]) -> frozenset[int]:
        r"""Mark as ``\Seen``; return the UIDs that were not. Reading works on a full disk too."""
        if not self._plan.marks_seen or self._selected.is_read_only:
            return frozenset()
        batch = batch_of(self._selected, uids)
        pairs = zip(batch.uids, batch.flags, strict=True)
        unseen = [uid for uid, known in pairs if flags.SEEN not in known]
        try:
            if unseen:
                await self._mailbox.mark(unseen, "add", _SEEN)
        except (Refused, Unavailable):
            return frozenset()
        return frozenset(unseen)

    def _batch(
        self, uids: Sequence[int], told: FetchedData, values: dict[int, list[Value]]
    ) -> FetchBatch:
        batch = batch_of(self._selected, uids)
        if told.items:
            batch.items = [told.items[uid] for uid in batch.uids]
        if told.emails:
            batch.emails = [told.emails[uid] for uid in batch.uids]
        if told.threads:
            batch.threads = [told.threads[uid] for uid in batch.uids]
        if values:
            batch.texts = [values[uid] for uid in batch.uids]
        batch.changed = told.changed
        self._note_flags_sent(batch)
        return batch

    def _note_flags_sent(self, batch: FetchBatch) -> None:
        view = self._selected.view
        if view.has_updates:
            for uid in batch.uids if self._plan.has_flags else batch.changed:
                view.note_flags_sent(uid)

    async def _send(self, batch: FetchBatch) -> int:
        await self._write(self._plan.lines(batch))
        return len(batch.uids)

    async def _write(self, data: bytes) -> None:
        self._wire.write(data)
        self._waiting += len(data)
        if self._waiting >= DRAIN_AFTER_OCTETS:
            await self._wire.drain()
            self._waiting = 0

    # ------------------------------------------------------------ bodies

    async def _with_texts(self, uids: Sequence[int], told: FetchedData) -> int:
        rendered = told.items
        kept = self._from_kept(uids, rendered)
        if kept is not None:
            return await self._send(self._batch(list(kept), told, kept))
        batch = batch_of(self._selected, uids)
        sources = [
            self._texts.source(uid, size, rendered[uid].header_size if rendered else 0)
            for uid, size in zip(batch.uids, batch.sizes, strict=True)
        ]
        answered = 0
        for group in self._texts.groups(sources):
            await self._wire.yield_to_others()
            pairs = zip(group, await self._texts.values(group), strict=True)
            values = {source.uid: value for source, value in pairs if value is not None}
            batch = self._batch(list(values), told, values)
            answered += await self._send_texts(batch)
        return answered

    def _from_kept(
        self, uids: Sequence[int], rendered: dict[int, RenderedItems]
    ) -> dict[int, list[Value]] | None:
        """Return the texts if those of all messages can be made of fields that were kept."""
        fields = {uid: rendered[uid].fields for uid in uids} if self._plan.needs_kept else {}
        if not fields or None in fields.values():
            return None
        return {uid: self._texts.from_kept(kept or b"") for uid, kept in fields.items()}

    async def _send_texts(self, batch: FetchBatch) -> int:
        if len(batch.texts) == 1 and not all(isinstance(one, bytes) for one in batch.texts[0]):
            return await self._send_large(batch)
        return await self._send(batch)

    async def _send_large(self, batch: FetchBatch) -> int:
        for shown, value in self._plan.parts(batch):
            match value:
                case SectionExtent():
                    await self._write(b"%b{%d}\r\n" % (shown, value.stop - value.start))
                    await self._stream(value)
                case DeferredFields():
                    header = await self._read(value.piece)
                    await self._write(shown + value.literal(header))
                case _:
                    await self._write(shown + value)
        return 1

    async def _stream(self, extent: SectionExtent) -> None:
        """Send a literal whose size is announced already: all of it, or nothing more at all."""
        for piece in extent.pieces():
            data = await self._read(piece)
            if len(data) != min(GROUP_OCTETS, extent.stop - piece.start):
                self._wire.close()
                raise ConversationEnded(ConversationEnded.Reason.LOST)
            for at in range(
                0, len(data), DRAIN_AFTER_OCTETS
            ):  # what the client is slow to take is held twice
                await self._write(data[at : at + DRAIN_AFTER_OCTETS])

    async def _read(self, piece: MessageRange) -> bytes:
        try:
            [data] = await self._mailbox.read([piece])
        except (Refused, Unavailable):
            return b""
        return data or b""


COMMANDS = (Command("FETCH", SELECTED, fetch, keeps_numbers=True, has_uid_form=True),)
