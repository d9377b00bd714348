"""All clients stop for a moment: then they must know the same as one that comes anew."""

import asyncio
from collections.abc import Sequence

from bench.imap_stress.client import Client
from bench.imap_stress.commands import BOX
from bench.imap_stress.knowledge import Knowledge
from bench.imap_stress.view import SeenMessage


async def compare(clients: Sequence[Client], fresh: Client, session: int, settle: float) -> None:
    """Compare the clients, which have no command under way, with a fresh one.

    ``settle`` are the seconds that changes may take from one process to another.
    """
    await asyncio.sleep(settle)
    await asyncio.gather(*(client.run("CHECK", "CHECK") for client in clients))
    await fresh.connect(session)
    await fresh.run("SELECT", f"EXAMINE {BOX}")
    truth = fresh.view.messages
    if truth:
        await fresh.run("FETCH", "FETCH 1:* (UID FLAGS ENVELOPE RFC822.SIZE BODY.PEEK[])")
    _compare_with_known(fresh.known, {message.uid for message in truth})
    for client in clients:
        _compare_views(client, truth)
    recent = sum(client.view.recent for client in clients)
    if recent > len(truth):
        fresh.view.wrong(
            f"{recent} messages are recent in all sessions, and there are {len(truth)}"
        )
    await fresh.leave()


def _compare_with_known(known: Knowledge, uids: set[int]) -> None:
    for uid, what in known.suspects.items():
        if uid in uids:
            known.wrong(f"it is there: {what}")
    known.suspects.clear()
    for uid in sorted(uids & known.removed):
        known.wrong(f"uid {uid} was expunged and is there again")
        known.removed.discard(uid)


def _compare_views(client: Client, truth: Sequence[SeenMessage]) -> None:
    view = client.view
    if len(view.messages) != len(truth):
        view.wrong(f"it knows {len(view.messages)} messages, and there are {len(truth)}")
        return
    for number, (seen, real) in enumerate(zip(view.messages, truth, strict=True), 1):
        if seen.uid not in (0, real.uid):
            view.wrong(f"{number} is uid {seen.uid} here, and {real.uid}")
        if seen.flags not in (None, real.flags):
            flags = sorted(seen.flags or ()), sorted(real.flags or ())
            view.wrong(f"uid {real.uid} has the flags {flags[0]} here, and {flags[1]}")
