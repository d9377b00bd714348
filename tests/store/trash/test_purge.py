import os
from pathlib import Path

import pytest

from tests.contracts.ground import FakeRenderer, draft, mail
from tests.faults import QuickDisk
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.trash import purge
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

DAY = 86_400


def expunge(store: MaildirStore, name: str, number: int) -> None:
    account = finish(store.account(name))
    texts = [draft(mail(str(each))) for each in range(number)]
    inbox = finish(account.open("INBOX"))
    finish(inbox.expunge(finish(account.append("INBOX", texts)).targets))
    inbox.close()


def left(root: Path) -> int:
    return sum(len(names) for at, _, names in os.walk(root) if "expunged" in at)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def store(tmp_path: Path, clock: StillClock) -> MaildirStore:
    return MaildirStore(
        tmp_path, InlineBlocking(), clock, FakeRenderer(), StoreServices(disk=QuickDisk())
    )


def work(store: MaildirStore) -> int:
    """Do one pass; return the steps it took."""
    steps = 0
    while finish(store.purge.step()) or store.purge._domains:
        steps += 1
    return steps


def test_old_messages_of_all_accounts_are_removed(
    store: MaildirStore, clock: StillClock, tmp_path: Path
) -> None:
    for name in ("a@example.org", "b@example.org", "c@example.net", "nobody"):
        expunge(store, name, 3)
    clock.seconds += 13 * DAY
    work(store)
    assert left(tmp_path) == 12
    clock.seconds += 2 * DAY
    work(store)
    assert left(tmp_path) == 0


def test_nothing_is_done_before_it_is_due(
    store: MaildirStore, clock: StillClock, tmp_path: Path
) -> None:
    expunge(store, "a@example.org", 1)
    clock.seconds += purge.FIRST_SECONDS - 1
    assert finish(store.purge.step()) == 0
    assert not store.purge._domains


def test_each_step_is_bounded(
    store: MaildirStore, clock: StillClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge, "FILES", 4)
    monkeypatch.setattr(purge, "ACCOUNTS", 2)
    for number in range(5):
        expunge(store, f"{number}@example.org", 3)
    clock.seconds += 15 * DAY
    assert work(store) >= 15 // 4
    assert left(tmp_path) == 0


def test_a_store_that_is_not_there_yet_is_no_trouble(tmp_path: Path, clock: StillClock) -> None:
    store = MaildirStore(tmp_path / "x", InlineBlocking(), clock, FakeRenderer())
    clock.seconds += DAY
    assert finish(store.purge.step()) == 0
