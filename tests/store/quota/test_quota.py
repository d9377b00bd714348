"""Tests of twisted_mail.store.quota: what an account may hold."""

import os
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.ground import ALICE, BOB, FakeRenderer, draft, refused
from tests.faults import QuickDisk
from tests.store.quota.account import TEXT, counted, deliver, drop, put
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.account import alterations
from twisted_mail.store.format import layout
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.quota import Quota
from twisted_mail.store.repair import undelete
from twisted_mail.store.work import usage
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

# ---------------------------------------------------------------- the limits


def test_messages_are_limited(make_store: Callable[..., MaildirStore]) -> None:
    store = make_store(messages=2)
    account = finish(store.account(ALICE))
    put(account, "Sent", 2)
    with refused("OVERQUOTA"):
        put(account)
    sent = finish(account.open("Sent"))
    with refused("OVERQUOTA"):
        finish(sent.copy([1], "INBOX"))
    assert isinstance(deliver(store, ALICE)[ALICE], Refused)
    finish(sent.expunge([1]))
    assert deliver(store, ALICE) == {ALICE: None}


def test_a_copy_in_pieces_needs_room_for_all_of_them(
    make_store: Callable[..., MaildirStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alterations, "AT_ONCE", 2)
    account = finish(make_store(messages=9).account(ALICE))
    uids = put(account, number=5)
    inbox = finish(account.open("INBOX"))
    with refused("OVERQUOTA"):
        finish(inbox.copy(uids, "Sent"))
    assert finish(account.status("Sent")).messages == 0
    assert finish(inbox.copy(uids[:4], "Sent")).targets == (1, 2, 3, 4)


def test_a_full_account_can_be_tidied(make_store: Callable[..., MaildirStore]) -> None:
    store = make_store(octets=2 * len(TEXT))
    account = finish(store.account(ALICE))
    uids = put(account, number=2)
    inbox = finish(account.open("INBOX"))
    finish(inbox.mark(uids, "add", frozenset({"\\Seen"})))
    assert finish(inbox.move(uids, "Trash")).targets == (1, 2)
    finish(account.rename("INBOX", "Old"))
    finish(account.delete("Trash"))
    assert put(account, number=2)


def test_an_account_above_its_limit_keeps_what_it_has(
    make_store: Callable[..., MaildirStore],
) -> None:
    finish(finish(make_store().account(ALICE)).append("INBOX", [draft(TEXT)] * 5))
    store = make_store(messages=2)
    account = finish(store.account(ALICE))
    assert finish(account.status("INBOX")).messages == 5
    with refused("OVERQUOTA"):
        put(account)


def test_what_is_expunged_does_not_count_and_comes_back_only_into_room(
    make_store: Callable[..., MaildirStore],
) -> None:
    store = make_store(messages=2)
    account = finish(store.account(ALICE))
    uids = put(account, number=2)
    finish(finish(account.open("INBOX")).expunge(uids))
    put(account, number=1)
    found = finish(account.lane.perform_steps(undelete.list_expunged))
    with refused("OVERQUOTA"):
        finish(account.lane.perform_steps(undelete.restore, found))
    assert len(finish(account.lane.perform_steps(undelete.list_expunged))) == 2
    assert finish(account.lane.perform_steps(undelete.restore, found[:1]))


def test_each_account_can_have_its_own_quota(make_store: Callable[..., MaildirStore]) -> None:
    async def quotas(name: str) -> Quota:
        return Quota(messages=1) if name == ALICE else Quota()

    store = make_store(messages=7, quotas=quotas)
    for name, number in ((ALICE, 1), (BOB, 10)):
        account = finish(store.account(name))
        put(account, number=number)
    answers = deliver(store, ALICE, BOB)
    assert isinstance(answers[ALICE], Refused)
    assert answers[BOB] is None


# ---------------------------------------------------------------- others


def test_what_other_programs_put_there_counts(
    make_store: Callable[..., MaildirStore], clock: StillClock
) -> None:
    account = finish(make_store(messages=3).account(ALICE))
    put(account)
    drop(account, "new", "1.x.host")
    with refused("OVERQUOTA"):
        put(account, number=2)
    drop(account, ".Sent/cur", "2.x.host:2,S")
    clock.seconds += usage.LOOK_SECONDS
    with refused("OVERQUOTA"):
        put(account)


def test_a_mailbox_that_another_program_removed_does_not_count(
    make_store: Callable[..., MaildirStore], clock: StillClock
) -> None:
    account = finish(make_store(messages=2).account(ALICE))
    put(account, "Sent", 2)
    path = Path(os.fsdecode(account._tree.maildir)) / ".Sent"
    path.rename(path.parent.parent / "elsewhere")
    assert put(account, number=2)


def test_what_a_lost_index_knew_is_counted_again(
    make_store: Callable[..., MaildirStore], tmp_path: Path
) -> None:
    store = make_store(messages=3)
    put(finish(store.account(ALICE)), "Archive", 2)
    finish(store.close())
    for path in tmp_path.glob("*/*/index.sqlite3*"):
        path.unlink()
    store = make_store(messages=3)
    assert [deliver(store, ALICE)[ALICE] is None for _ in range(2)] == [True, False]


# ---------------------------------------------------------------- counting


@given(steps=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=25))
@settings(max_examples=15, deadline=None)
def test_the_count_is_what_is_there(
    steps: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("count")
    store = MaildirStore(
        root, InlineBlocking(), StillClock(), FakeRenderer(), StoreServices(disk=QuickDisk())
    )
    account = finish(store.account(ALICE))
    names = ["INBOX", "Sent", "Trash", "Drafts"]
    for kind, number in steps:
        mailbox = finish(account.open(names[number]))
        uids = list(mailbox.columns.uids)
        if kind == 0:
            finish(mailbox.expunge(uids[::2]))
        elif kind == 1:
            finish(mailbox.copy(uids[:3], names[number - 1]))
        elif kind == 2:
            finish(mailbox.move(uids[1:3], names[number - 1]))
        elif kind == 3:
            deliver(store, ALICE)
        else:
            put(account, names[number], kind)
        mailbox.close()
    here = [finish(account.status(name)) for name in names]
    assert counted(account) == (sum(one.size for one in here), sum(one.messages for one in here))
    finish(store.close())


def test_an_older_index_is_counted_when_it_is_opened(
    make_store: Callable[..., MaildirStore], tmp_path: Path
) -> None:
    store = make_store()
    account = finish(store.account(ALICE))
    put(account, "INBOX", 3)
    put(account, "Sent", 1)
    finish(store.close())
    path = Path(os.fsdecode(layout.account_path(os.fsencode(tmp_path), ALICE))) / "index.sqlite3"
    old = apsw.Connection(str(path))
    for column in ("messages", "octets"):
        old.execute(f"ALTER TABLE mailboxes DROP COLUMN {column}")
    old.pragma("user_version", 1)
    old.close()
    assert counted(finish(make_store().account(ALICE))) == (4 * len(TEXT), 4)
