"""Bulk columns, as an extension brings them: for FETCH and for SEARCH."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from tests.imap.selected import SelectedSession, SmallMailbox
from twisted_mail.imap.bulk_column import BulkColumn
from twisted_mail.imap.commands import fetch, search
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.extensions.table import make_tables
from twisted_mail.imap.fetch.item import FetchItem
from twisted_mail.imap.search.evaluation import LOADED, Rows, SearchEvaluator
from twisted_mail.imap.search.key import SearchKey
from twisted_mail.interfaces import Mailbox
from twisted_mail.testing.doubles import finish

[FETCH], [SEARCH] = fetch.COMMANDS, search.COMMANDS


class Length:
    """The length of messages, and how it was asked for."""

    def __init__(self, are_large: bool) -> None:
        self.asked: list[int] = []
        self.column = BulkColumn(self._ask, are_large)

    async def _ask(self, mailbox: Mailbox, uids: Sequence[int]) -> Sequence[int | None]:
        self.asked.append(len(uids))
        bodies = mailbox.bodies  # type: ignore[attr-defined]
        return [len(bodies[uid]) if uid in bodies else None for uid in uids]

    def session(self, mailbox: SmallMailbox) -> SelectedSession:
        @dataclass(frozen=True)
        class Odd:
            cost: ClassVar[int] = LOADED
            depth: ClassVar[int] = 0

            async def narrow(_self, search: SearchEvaluator, rows: Rows) -> Rows:
                lengths = await search.load(self.column, rows, int)
                return [row for row, one in zip(rows, lengths, strict=True) if one and one % 2]

        session = SelectedSession(mailbox)
        session.tables = make_tables([self._extension(Odd())])
        return session

    def _extension(self, odd: object) -> Extension:
        def read(name: str) -> FetchItem:
            return FetchItem(name, self.column, is_number=True)

        return Extension(
            "X",
            fetch_items=(read("X-LENGTH"), read("X-OCTETS")),
            search_keys=(SearchKey("X-ODD", lambda arguments: odd),),  # type: ignore[arg-type, return-value]
        )


def test_items_that_share_a_column_have_it_loaded_once() -> None:
    length = Length(are_large=False)
    session = length.session(SmallMailbox(b"1", b"22", b"333"))
    finish(session.run(FETCH, b"1:3 (X-LENGTH UID X-OCTETS)"))
    assert session.written().splitlines() == [
        b"* 1 FETCH (X-LENGTH 1 UID 1 X-OCTETS 1)",
        b"* 2 FETCH (X-LENGTH 2 UID 2 X-OCTETS 2)",
        b"* 3 FETCH (X-LENGTH 3 UID 3 X-OCTETS 3)",
    ]
    assert length.asked == [3]


def test_a_message_that_is_gone_is_left_out() -> None:
    length = Length(are_large=False)
    mailbox = SmallMailbox(b"1", b"22")
    session = length.session(mailbox)
    del mailbox.bodies[1]  # gone from the store, and nobody has noticed
    finish(session.run(FETCH, b"1:2 X-LENGTH", is_uid=True))
    assert session.written() == b"* 2 FETCH (UID 2 X-LENGTH 2)\r\n"


def test_large_values_are_loaded_for_few_messages_at_a_time() -> None:
    small, large = Length(are_large=False), Length(are_large=True)
    for length in (small, large):
        session = length.session(SmallMailbox(*[b"odd"] * 1200))
        finish(session.run(FETCH, b"1:* X-LENGTH"))
    assert small.asked == [250, 250, 250, 250, 200]
    assert max(large.asked) <= 250


def test_a_search_loads_in_portions_too() -> None:
    small, large = Length(are_large=False), Length(are_large=True)
    for length in (small, large):
        session = length.session(SmallMailbox(*[b"odd", b"even"] * 100))
        finish(session.run(SEARCH, b"X-ODD 1:3"))
        assert session.written() == b"* SEARCH 1 3\r\n"
        finish(session.run(SEARCH, b"X-ODD"))
    assert small.asked == [3, 200]
    assert large.asked == [3, 100, 100]
