"""Tests of twisted_mail.store.account.read_ahead."""

from twisted_mail.mail.mailbox.entry import Entry
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import NONE
from twisted_mail.store.account.read_ahead import (
    BLOCK,
    FEW,
    FEW_NAMES,
    MANY_NAMES,
    block_of,
    following,
)


def columns(count: int) -> EntryColumns:
    made = EntryColumns()
    made.add(Entry(2 * number, NONE, 1, 0, 0) for number in range(1, count + 1))
    return made


def test_blocks_cover_a_mailbox_and_do_not_overlap() -> None:
    found = columns(2 * BLOCK + 10)
    blocks = {tuple(block_of(found, uid)) for uid in found.uids}
    assert sorted(map(len, blocks)) == [10, BLOCK, BLOCK]
    assert sorted(uid for block in blocks for uid in block) == list(found.uids)
    assert all(uid in block_of(found, uid) for uid in found.uids)


def test_a_message_that_is_gone_is_in_no_block() -> None:
    assert block_of(columns(3), 3) == ()
    assert block_of(EntryColumns(), 1) == ()


def test_many_messages_follow_one_unless_they_are_known() -> None:
    found = columns(3 * MANY_NAMES)
    many = list(range(2, 2 * FEW + 2, 2))
    after = many[-1] + 2
    assert following(found, many, ()) == list(range(after, after + 2 * MANY_NAMES, 2))
    assert following(found, many, {after}) == list(range(after, after + 2 * FEW_NAMES, 2))
    assert following(found, [*many, after - 1], ())[0] == after  # that one is gone
    assert following(found, [*many, 6 * MANY_NAMES], ()) == []


def test_nothing_follows_a_few_messages() -> None:
    found = columns(MANY_NAMES)
    assert following(found, found.uids[: FEW - 1], ()) == ()
    assert following(found, (), ()) == ()
