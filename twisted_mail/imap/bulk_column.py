"""What FETCH items and SEARCH keys need to know of many messages at once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from twisted_mail.interfaces import Mailbox
from twisted_mail.mail.mailbox.entry import ItemTier

Ask = Callable[[Mailbox, Sequence[int]], Awaitable[Sequence[Any]]]


@dataclass(frozen=True, slots=True, eq=False)
class BulkColumn:
    """A fact about messages that the mailbox is asked for in bulk.

    ``ask`` takes the mailbox and UIDs, and returns the values in the order asked, None where a message
    is gone. Where values ``are_large``, few messages are asked for at a time. A column is known by its
    identity: items that share one have it loaded once. The values of one with a ``tier`` are the
    ``RenderedItems`` up to it; where several are wanted, the highest alone is loaded, for all of them.
    """

    ask: Ask
    are_large: bool = True
    tier: ItemTier | None = None


def _rendered(tier: ItemTier) -> BulkColumn:
    return BulkColumn(lambda mailbox, uids: mailbox.items(uids, tier), tier=tier)


HEADER, STRUCTURE, PREVIEW = map(_rendered, ItemTier)  # who needs less has less to wait for
IDENTITIES = BulkColumn(lambda mailbox, uids: mailbox.identities(uids), are_large=False)
THREAD_IDS = BulkColumn(lambda mailbox, uids: mailbox.threads(uids), are_large=False)
