"""What clients ask of messages again and again, kept in the index: ENVELOPE, BODYSTRUCTURE and so on."""

from collections.abc import Callable, Iterable, Sequence

from twisted_mail.interfaces import Renderer
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE, ItemTier, MessageIdentity, RenderedItems
from twisted_mail.store.format import filename
from twisted_mail.store.index.index import Index
from twisted_mail.store.index.rows import MailboxRow, Row
from twisted_mail.store.reading.contents import each, look_at_each, read_whole, rows_of
from twisted_mail.store.tree.first_look import look_at
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.measure import PIECE, all_measured

BATCH = 100  # whole messages handled before others have their turn
BATCH_SIZE = 1024 * 1024  # octets, likewise
PIECE_SECONDS = 0.02  # of rendering in the background before others have their turn
SOME = 10  # messages rendered between two looks at the clock
HELD = 1024 * 1024  # octets of envelopes that wait to be kept
SMALL = 16 * 1024  # octets; larger items are not read unless they are asked for


def known_items(
    index: Index,
    row: MailboxRow,
    uids: Sequence[int],
    wanted: tuple[int, ItemTier],
    beside: Sequence[int] = (),
) -> dict[int, RenderedItems | None]:
    """Return items by UID as far as they are in the index; None for messages to be rendered.

    ``wanted`` are the renderer's version and the tier. Items of the messages ``beside`` are returned too,
    where they are in the index and small.
    """
    found: dict[int, RenderedItems | None] = {}
    if beside:
        found |= index.rendered.small_items(row, beside, *wanted, SMALL)
    if missing := [uid for uid in uids if uid not in found]:
        found |= index.rendered.items(row, missing, *wanted)
    if missing := [uid for uid in missing if uid not in found]:
        found |= dict.fromkeys((each.uid for each in index.rows(row, missing)), None)
    return found


def render_items(
    folder: Folder, work: UnitOfWork, uids: Sequence[int], render: Renderer, tier: ItemTier
) -> tuple[int, dict[int, RenderedItems]]:
    """Render the first of these messages up to a tier, and keep what was made.

    Returns how many of the UIDs are dealt with, and the items of those that are there.
    """
    if tier == ItemTier.HEADER:
        uids = uids[:PIECE]
        return len(uids), render_headers(folder, work, uids, render)
    number, chosen = batch(folder, work, uids)
    limit = work.tree.environment.memory_limit
    state = mailbox_row(folder, work)
    uids = [row.uid for row in chosen]
    known = work.index.rendered.items(state, uids, render.version, ItemTier.HEADER)

    def rendered(row: Row) -> RenderedItems:
        with limit.holding(row.size):
            return render(read_whole(folder, row), tier, known.get(row.uid))

    found = each(folder, work, chosen, rendered)
    work.index.rendered.save(mailbox_row(folder, work), render.version, found)
    return number, found


def render_headers(
    folder: Folder, work: UnitOfWork, uids: Sequence[int], render: Renderer
) -> dict[int, RenderedItems]:
    """Render the headers of these messages, measuring them on the way, and keep what was made."""
    found: dict[int, RenderedItems] = {}
    _render_each(folder, work, rows_of(folder, work, uids), render, found.__setitem__)
    work.index.rendered.save(mailbox_row(folder, work), render.version, found)
    return found


def measure_with_headers(
    folder: Folder, work: UnitOfWork, uids: Sequence[int], render: Renderer
) -> None:
    """Measure messages, and render the headers of those that were not measured before.

    All dates and sizes are published: another process may know them already.
    """
    rows = rows_of(folder, work, uids)
    known = [row for row in rows if row.date != UNKNOWN_DATE]
    if known:
        work.record_measures(folder, known)
    keep_headers(folder, work, [row for row in rows if row.date == UNKNOWN_DATE], render)


def keep_headers(folder: Folder, work: UnitOfWork, rows: Iterable[Row], render: Renderer) -> None:
    """Do what ``render_headers`` does, and hold little of it in memory at a time."""
    waiting: dict[int, RenderedItems] = {}
    octets = 0

    def take(uid: int, items: RenderedItems) -> None:
        nonlocal octets
        waiting[uid] = items
        octets += len(items.envelope)
        if octets >= HELD:
            save()

    def save() -> None:
        nonlocal octets
        work.index.rendered.save(mailbox_row(folder, work), render.version, waiting)
        waiting.clear()
        octets = 0

    _render_each(folder, work, rows, render, take)
    save()


def lacking(folder: Folder, work: UnitOfWork, version: int) -> list[int]:
    """Return the ascending UIDs of the messages of which nothing is rendered by this version."""
    state = mailbox_row(folder, work)
    return sorted(work.index.uids(state).difference(work.index.rendered.uids(state, version)))


def render_lacking(folder: Folder, work: UnitOfWork, uids: Sequence[int], render: Renderer) -> int:
    """Render the headers of messages, where nothing is rendered yet; return of how many.

    Those are the first of the UIDs: others have their turn after ``PIECE_SECONDS``.
    """
    began, number = folder.clock.monotonic(), 0
    known = work.index.rendered.items(
        mailbox_row(folder, work), uids, render.version, ItemTier.HEADER
    )
    while number < len(uids) and (number == 0 or folder.clock.monotonic() - began < PIECE_SECONDS):
        some = uids[number : number + SOME]
        waiting = rows_of(folder, work, [uid for uid in some if uid not in known])
        keep_headers(folder, work, waiting, render)
        number += len(some)
    return number


def _render_each(
    folder: Folder,
    work: UnitOfWork,
    rows: Iterable[Row],
    render: Renderer,
    take: Callable[[int, RenderedItems], None],
) -> None:
    limit = work.tree.environment.memory_limit

    def look(row: Row) -> Row:
        row, octets = look_at(folder, row)
        if octets is None:
            with limit.holding(row.size):
                take(row.uid, render(read_whole(folder, row), ItemTier.HEADER))
        else:
            take(row.uid, render(octets, ItemTier.HEADER))
        return row

    look_at_each(folder, work, rows, look)


def batch(
    folder: Folder, work: UnitOfWork, uids: Sequence[int], octets: int = BATCH_SIZE
) -> tuple[int, list[Row]]:
    """Return how many of the first of these UIDs are handled at once, and the rows of their messages."""
    there = rows_of(folder, work, uids[:BATCH])
    rows = {row.uid: row for row in all_measured(folder, work, there)}
    size = 0
    chosen: list[Row] = []
    for number, uid in enumerate(uids[:BATCH]):
        if uid not in rows:
            continue
        size += rows[uid].size
        if chosen and size > octets:
            return number, chosen
        chosen.append(rows[uid])
    return min(len(uids), BATCH), chosen


def identities(folder: Folder, work: UnitOfWork, uids: Sequence[int]) -> dict[int, MessageIdentity]:
    """Return the names and dates of messages by UID, as far as they are there (RFC 8474 §5.1)."""
    rows = work.index.rows(mailbox_row(folder, work), uids)
    strange = [row for row in rows if filename.saved(row.base) is None]
    dates = {row.uid: row.date for row in all_measured(folder, work, strange)}
    return {
        row.uid: MessageIdentity(
            filename.email_id(row.base), filename.saved(row.base) or dates[row.uid]
        )
        for row in rows
        if dates.get(row.uid) != UNKNOWN_DATE
    }
