"""Asking an account's lane for the rendered items of messages, some at a time."""

from collections.abc import Sequence

from twisted_mail.interfaces import Renderer
from twisted_mail.mail.mailbox.entry import ItemTier, RenderedItems
from twisted_mail.store.reading.items import known_items, render_items
from twisted_mail.store.reading.items import measure_with_headers as measure_some_with_headers
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.work.lane import AccountLane
from twisted_mail.store.work.measure import PIECE


async def items(
    lane: AccountLane,
    folder: Folder,
    uids: Sequence[int],
    wanted: tuple[Renderer, ItemTier],
    beside: Sequence[int] = (),
) -> dict[int, RenderedItems | None]:
    """Return items from the index, rendered first where they are not there yet; None where one is gone.

    Those of the messages ``beside`` come along where they are in the index: who asks for one message soon
    asks for the others, and reading them costs little more.
    """
    render, tier = wanted
    found = await lane.look_up(folder, known_items, uids, (render.version, tier), beside)
    missing = [uid for uid, known in found.items() if known is None]
    while missing:
        done, made = await lane.perform_on(folder, render_items, missing, render, tier)
        found.update(made)
        missing = missing[done:]
    return found


async def measure_with_headers(
    lane: AccountLane, folder: Folder, uids: Sequence[int], render: Renderer
) -> None:
    """Have dates and sizes of messages known, and the index their headers."""
    for start in range(0, len(uids), PIECE):
        await lane.perform_on(
            folder, measure_some_with_headers, uids[start : start + PIECE], render
        )
