"""Reading what a count of an account's octets has to know, some messages at a time.

So others have their turn in the lane while the messages of an imported account are measured.
"""

from twisted_mail.store.work import usage
from twisted_mail.store.work.lane import AccountLane


async def measure_for_claim(lane: AccountLane) -> None:
    """Measure what the next claim has to know (see ``measure_for_count``)."""
    if usage.is_due(lane.tree):
        await measure_for_count(lane)


async def measure_for_count(lane: AccountLane) -> None:
    """Measure all messages of which no size is known, if the account has a quota of octets."""
    if not lane.tree.ledger.quota.octets:
        return
    for coded in await lane.perform(usage.unmeasured):
        after: int | None = 0
        while after is not None:
            after = await lane.perform(usage.measure_piece, coded, after)


async def measure_mailbox(lane: AccountLane, name: str) -> None:
    """Measure the messages of one mailbox. Raises Refused: NONEXISTENT."""
    after: int | None = 0
    while after is not None:
        after = await lane.perform(usage.measure_named, name, after)
