"""What FETCH items and SEARCH keys need to know of many messages at once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted_mail.interfaces import Mailbox
from twisted_mail.mail.mailbox.entry import ItemTier

Ask = Callable[[Mailbox, Sequence[int]], Awaitable[Sequence[Any]]]


@dataclass(frozen=True, slots=True, eq=False)
class BulkColumn:
    """A fact about messages that the mailbox is asked for in bulk.

    ``ask`` takes the mailbox and UIDs, and returns the values in the order asked, None where a message
    is gone. Where values ``are_large``, few messages are asked for at a time. A column is known by its
    identity: items that share one have it loaded once. Its values are those of the column that it
    ``includes``, too, and more: with both wanted, this one alone is loaded. ``chain`` is the column and
    all that it includes.
    """

    ask: Ask
    are_large: bool = True
    includes: "BulkColumn | None" = None
    chain: "tuple[BulkColumn, ...]" = field(init=False)

    def __post_init__(self) -> None:
        included = () if self.includes is None else self.includes.chain
        object.__setattr__(self, "chain", (self, *included))


# The rendered items (``RenderedItems``) up to a tier: whoever needs less has less to wait for.
HEADER = BulkColumn(lambda mailbox, uids: mailbox.items(uids, ItemTier.HEADER))
STRUCTURE = BulkColumn(
    lambda mailbox, uids: mailbox.items(uids, ItemTier.STRUCTURE), includes=HEADER
)
RENDERED = BulkColumn(
    lambda mailbox, uids: mailbox.items(uids, ItemTier.PREVIEW), includes=STRUCTURE
)
IDENTITIES = BulkColumn(lambda mailbox, uids: mailbox.identities(uids), are_large=False)
THREADS = BulkColumn(lambda mailbox, uids: mailbox.threads(uids), are_large=False)
