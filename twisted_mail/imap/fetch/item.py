"""What a FETCH item is: what it needs of the messages, and how it is sent (RFC 3501 §6.4.5)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted_mail.imap.bulk_column import BulkColumn
from twisted_mail.imap.fetch.section_spec import BodySection
from twisted_mail.imap.grammar import Reader
from twisted_mail.mail.mailbox.flags import Flags


@dataclass(slots=True)
class FetchBatch:
    r"""Columns of the messages that are answered together.

    ``flags`` may hold ``\Recent``; ``loaded`` has the values of each bulk column that the plan loads,
    in the order of the messages. ``sections`` has, for each message, what is sent of the plan's sections.
    ``changed`` are the UIDs whose flags this FETCH altered.
    """

    numbers: Sequence[int]
    uids: Sequence[int]
    flags: Sequence[Flags]
    dates: Sequence[int]
    sizes: Sequence[int]
    loaded: dict[BulkColumn, Sequence[Any]] = field(default_factory=dict)
    sections: Sequence[Sequence[Any]] = ()
    changed: frozenset[int] = frozenset()


Column = Callable[[FetchBatch], Iterable[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class FetchItem:
    """One thing that FETCH sends of each message; it is known by its identity.

    ``name`` is the item's name in the request and in the answer. ``column`` makes the values of a whole
    batch, as octets, or as numbers where ``is_number``; what it takes from ``batch.loaded`` it names in
    ``loads``. An item of dates or sizes ``is_measured``. ``read`` reads what may follow the name in the
    request, and returns what is asked for.
    """

    name: str
    column: Column
    loads: BulkColumn | None = None
    is_number: bool = False
    is_measured: bool = False
    read: Callable[[Reader], "RequestedItem"] | None = None


RequestedItem = FetchItem | BodySection
