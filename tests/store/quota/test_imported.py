"""Accounts whose messages must be measured before their quota can be checked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, NotedBlob, refused
from tests.faults import QuickDisk
from tests.store.quota.account import TEXT, counted, deliver, drop, put
from twisted_mail.mail.mailbox.entry import NewMessage
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.quota import Usage
from twisted_mail.store.settings import StoreSettings
from twisted_mail.store.work import measure, newcomers, usage
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


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
    monkeypatch.setattr(newcomers, "MEASURED_AT_ONCE", 0)
    return Pieces()


@pytest.fixture
def imported(tmp_path: Path, clock: StillClock, pieces: Pieces) -> MaildirStore:
    limits = StoreSettings(quota_bytes=100 * len(TEXT))
    store = MaildirStore(
        tmp_path,
        pieces,
        clock,
        FakeRenderer(),
        StoreServices(settings=limits, disk=OpenDisk(pieces)),
    )
    account = finish(store.account(ALICE))
    finish(account.mailboxes())
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
    finish(account.mailboxes())
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
