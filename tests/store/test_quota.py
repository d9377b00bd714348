import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.ground import ALICE, BOB, FakeRenderer, NotedBlob, draft, mail, refused
from tests.faults import QuickDisk
from twisted_mail.mail.mailbox.entry import NewMessage
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError, Refused, Unavailable
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.delivery.reservations import QuotaReserver, end
from twisted_mail.store.format import layout
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.store.quota import COUNT_SECONDS, MAX_RESERVATIONS, Quota, QuotaLedger, Usage
from twisted_mail.store.repair import undelete
from twisted_mail.store.settings import StoreSettings
from twisted_mail.store.work import measure, reconcile, usage
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

TEXT = mail("x")


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def make_store(tmp_path: Path, clock: StillClock) -> Callable[..., MaildirStore]:
    def make(octets: int = 0, messages: int = 0, **more: Any) -> MaildirStore:
        limits = StoreSettings(quota_bytes=octets, quota_messages=messages)
        return MaildirStore(
            tmp_path,
            InlineBlocking(),
            clock,
            FakeRenderer(),
            settings=limits,
            disk=QuickDisk(),
            **more,
        )

    return make


def put(account: MaildirAccount, name: str = "INBOX", number: int = 1) -> tuple[int, ...]:
    return finish(account.append(name, [draft(TEXT)] * number)).targets


def deliver(store: MaildirStore, *names: str) -> dict[str, MailError | None]:
    return dict(finish(store.deliver(names, Message(MemoryBlob(TEXT)))))


def counted(account: MaildirAccount) -> Usage:
    return finish(account.perform(usage.survey))[0]


def drop(account: MaildirAccount, place: str, name: str) -> None:
    """Put a message into a mailbox as another program does."""
    (Path(os.fsdecode(account._tree.maildir)) / place / name).write_bytes(TEXT)


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
    found = finish(account.perform(undelete.list_expunged))
    with refused("OVERQUOTA"):
        finish(account.perform(undelete.restore, found))
    assert len(finish(account.perform(undelete.list_expunged))) == 2
    assert finish(account.perform(undelete.restore, found[:1]))


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
    store = MaildirStore(root, InlineBlocking(), StillClock(), FakeRenderer(), disk=QuickDisk())
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


# ---------------------------------------------------------------- deliveries


class Counter:
    """Counts an account for a Room, and remembers how often; ``held`` is what it finds."""

    def __init__(self) -> None:
        self.held = Usage()
        self.times = 0
        self.ledger: QuotaLedger | None = None

    async def __call__(self, name: str) -> tuple[Usage, int]:
        self.times += 1
        return self.held, self.ledger.claims if self.ledger else 0


def room(counter: Counter, clock: StillClock, quota: Quota) -> QuotaReserver:
    async def quotas(_: str) -> Quota:
        return quota

    made = QuotaReserver(quotas, counter, clock)
    counter.ledger = finish(made.ledger(ALICE))
    return made


def take(found: QuotaReserver) -> Any:
    return finish(found.take([ALICE], 10))[ALICE]


def test_deliveries_are_counted_without_the_index(clock: StillClock) -> None:
    counter = Counter()
    found = room(counter, clock, Quota(octets=1000))
    for _ in range(50):
        end({ALICE: take(found)}, {ALICE: None})
    assert counter.times == 1


def test_deliveries_at_the_same_time_do_not_take_the_same_room(clock: StillClock) -> None:
    counter = Counter()
    found = room(counter, clock, Quota(octets=35))
    taken = [take(found) for _ in range(5)]
    assert [isinstance(slot, MailError) for slot in taken] == [False] * 3 + [True] * 2
    assert isinstance(taken[3], Unavailable), "a delivery may fail yet"
    end({ALICE: taken[0]}, {ALICE: Unavailable("no")})
    assert not isinstance(take(found), MailError)


def test_a_refusal_is_decided_on_a_fresh_count(clock: StillClock) -> None:
    counter = Counter()
    found = room(counter, clock, Quota(messages=2))
    for _ in range(2):
        end({ALICE: take(found)}, {ALICE: None})
    counter.held = Usage(10, 1)  # one was expunged
    assert not isinstance(take(found), MailError)
    counter.held = Usage(20, 2)
    assert take(found).outcome.enhanced == "5.2.2"


def test_what_is_under_way_while_it_is_counted_counts_on(clock: StillClock) -> None:
    counter = Counter()
    found = room(counter, clock, Quota(messages=2))
    first = take(found)
    clock.seconds += COUNT_SECONDS
    second = take(found)
    assert counter.times == 2
    assert not isinstance(second, MailError)
    assert isinstance(take(found), Unavailable)
    end({ALICE: first}, {ALICE: None})
    end({ALICE: second}, {ALICE: None})
    counter.held = Usage(20, 2)
    assert isinstance(take(found), Refused)


def test_it_is_counted_again_after_an_append_a_while_and_many_deliveries(
    clock: StillClock,
) -> None:
    counter = Counter()
    found = room(counter, clock, Quota(octets=10_000_000))
    take(found)
    assert counter.ledger is not None
    counter.ledger.claims += 1
    take(found)
    assert counter.times == 2
    clock.seconds += COUNT_SECONDS
    take(found)
    assert counter.times == 3
    for _ in range(MAX_RESERVATIONS + 1):
        end({ALICE: take(found)}, {ALICE: None})
    assert counter.times == 4


def test_an_append_sees_the_deliveries_under_way(
    make_store: Callable[..., MaildirStore],
) -> None:
    store = make_store(messages=2)
    account = finish(store.account(ALICE))
    taken = finish(store._reserver.take([ALICE], len(TEXT)))
    with pytest.raises(Unavailable) as caught:
        put(account, number=2)
    assert caught.value.condition == "OVERQUOTA"
    end(taken, {ALICE: Unavailable("no")})
    put(account, number=2)


def test_an_account_that_cannot_be_counted_does_not_keep_others_from_their_mail(
    make_store: Callable[..., MaildirStore], tmp_path: Path
) -> None:
    store = make_store(messages=2)
    path = Path(os.fsdecode(layout.account_path(os.fsencode(tmp_path), ALICE)))
    path.parent.mkdir(parents=True)
    path.touch()
    answers = deliver(store, ALICE, BOB)
    assert isinstance(answers[ALICE], Unavailable)
    assert answers[BOB] is None


# ---------------------------------------------------------------- imported accounts


class Pieces(InlineBlocking):
    """Notes how many messages each piece of work opens."""

    def __init__(self) -> None:
        self.opened: list[int] = []

    async def run(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        self.opened.append(0)
        return work(*args, **kwargs)


class OpenDisk(QuickDisk):
    """Tells when a message is opened."""

    def __init__(self, pieces: Pieces) -> None:
        self.pieces = pieces

    def open(self, path: bytes) -> int:
        self.pieces.opened[-1] += b"/cur/" in path
        return super().open(path)


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> Pieces:
    monkeypatch.setattr(measure, "PIECE", 10)
    monkeypatch.setattr(reconcile, "MEASURED_AT_ONCE", 0)
    return Pieces()


@pytest.fixture
def imported(tmp_path: Path, clock: StillClock, pieces: Pieces) -> MaildirStore:
    limits = StoreSettings(quota_bytes=100 * len(TEXT))
    store = MaildirStore(
        tmp_path, pieces, clock, FakeRenderer(), settings=limits, disk=OpenDisk(pieces)
    )
    account = finish(store.account(ALICE))
    for folder in (".", ".Sent"):
        for number in range(45):
            drop(account, f"{folder}/cur", f"{number}.x:2,S")
    return store


def fill(store: MaildirStore, way: str) -> None:
    account = finish(store.account(ALICE))
    if way == "deliver":
        assert deliver(store, ALICE) == {ALICE: None}
    elif way == "append":
        put(account)
    else:
        finish(finish(account.open("INBOX")).copy([1], "Sent"))


@pytest.mark.parametrize("way", ["deliver", "append", "copy"])
def test_what_others_brought_is_measured_a_piece_at_a_time(
    imported: MaildirStore, pieces: Pieces, way: str
) -> None:
    fill(imported, way)
    assert max(pieces.opened) <= 10
    assert sum(pieces.opened) >= 90
    assert counted(finish(imported.account(ALICE))) == Usage(91 * len(TEXT), 91)


def test_what_others_bring_later_is_measured_so_too(
    imported: MaildirStore, pieces: Pieces, clock: StillClock
) -> None:
    fill(imported, "append")
    account = finish(imported.account(ALICE))
    for number in range(50, 58):
        drop(account, ".Sent/cur", f"{number}.x:2,S")
    for number in range(60, 90):
        drop(account, "cur", f"{number}.x:2,S")
    clock.seconds += 61
    with refused("OVERQUOTA"):
        put(account)
    assert max(pieces.opened) <= 10


def test_nothing_is_measured_for_a_quota_of_messages(
    make_store: Callable[..., MaildirStore],
) -> None:
    store = make_store(messages=5)
    account = finish(store.account(ALICE))
    drop(account, "cur", "1.x:2,S")
    put(account)
    assert counted(account).messages == 2


def test_drafts_are_closed_when_the_count_fails(
    imported: MaildirStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError

    account = finish(imported.account(ALICE))
    monkeypatch.setattr(usage, "measure_piece", fail)
    NotedBlob.closed.clear()
    with pytest.raises(Unavailable):
        finish(account.append("INBOX", [NewMessage(Message(NotedBlob(TEXT)))]))
    assert NotedBlob.closed == [TEXT]
