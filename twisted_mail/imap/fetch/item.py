"""What a FETCH item is: what it needs of the messages, and how it is sent (RFC 3501 §6.4.5)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted_mail.imap.bulk_column import BulkColumn
from twisted_mail.imap.fetch.section_spec import BodySection
from twisted_mail.imap.grammar import Reader
from twisted_mail.mail.mailbox.entry import RenderedItems
from twisted_mail.mail.mailbox.flags import Flags


@dataclass(slots=True)
class FetchBatch:
    r"""Columns of the messages that are answered together.

    ``flags`` may hold ``\Recent``; ``rendered`` are the items that the store renders, ``loaded`` the
    values of each other bulk column that the plan loads, all in the order of the messages. ``sections``
    has a column for each of the plan's sections (see ``body_sections``). ``changed`` are the UIDs whose
    flags this FETCH altered.
    """

    numbers: Sequence[int]
    uids: Sequence[int]
    flags: Sequence[Flags]
    dates: Sequence[int]
    sizes: Sequence[int]
    rendered: Sequence[RenderedItems] = ()
    loaded: dict[BulkColumn, Sequence[Any]] = field(default_factory=dict)
    sections: Sequence[Sequence[Any]] = ()
    changed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class FetchItem:
    """One thing that FETCH sends of each message; it is known by its identity.

    ``name`` is the item's name in the request and in the answer. It is made of the column ``of``: one of
    ``uids``, ``flags``, ``dates``, ``sizes``, or a bulk column. ``shown`` makes of one of its values what
    is sent, octets, or a number where ``is_number``; without it the value is sent as it is. ``read``
    reads what may follow the name in the request, and returns what is asked for.
    """

    name: str
    of: str | BulkColumn
    shown: Callable[[Any], Any] | None = None
    is_number: bool = False
    read: Callable[[Reader], "RequestedItem"] | None = None


RequestedItem = FetchItem | BodySection
