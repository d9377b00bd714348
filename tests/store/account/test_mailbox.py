"""Tests of twisted_mail.store.account.mailbox: items from memory, and what is left after the end."""

from pathlib import Path
from typing import Any

import pytest

from tests.contracts.ground import draft, mail
from tests.store.shared_maildir import SharedMaildir
from tests.store.watched_maildir import WatchedMaildir
from twisted_mail.store.account import rendering
from twisted_mail.store.account.read_ahead import BLOCK
from twisted_mail.store.reading import items
from twisted_mail.testing.doubles import finish


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The UIDs of each question that the index was asked for rendered items."""
    asked: list[list[int]] = []
    known_items = rendering.known_items

    def asking(index, row, uids, wanted, beside=()):
        asked.append(list(uids))
        return known_items(index, row, uids, wanted, beside)

    monkeypatch.setattr(rendering, "known_items", asking)
    return asked


def test_items_come_from_memory_the_second_time(
    shared: SharedMaildir, read: list[list[int]]
) -> None:
    finish(shared.account.append("INBOX", [draft(mail(n)) for n in "abc"]))
    inbox = shared.open()
    first = finish(inbox.items([1, 2]))
    assert finish(inbox.items([2, 3, 1])) == [first[1], shared.render(mail("c")), first[0]]
    assert finish(inbox.items([1, 2, 3]))[:2] == first
    assert read == [[1, 2], [3]]


def test_another_session_finds_the_items_in_memory(
    shared: SharedMaildir, read: list[list[int]]
) -> None:
    finish(shared.account.append("INBOX", [draft(mail("a"))]))
    one, other = shared.open(), shared.open()
    assert finish(one.items([1])) == finish(other.items([1])) == [shared.render(mail("a"))]
    assert read == [[1]]


def test_a_message_that_is_gone_has_no_items_though_they_are_in_memory(
    shared: SharedMaildir,
) -> None:
    finish(shared.account.append("INBOX", [draft(mail("a"))]))
    inbox = shared.open()
    finish(inbox.items([1]))
    finish(inbox.expunge([1]))
    assert finish(inbox.items([1])) == [None]
    assert not shared.account._open.rendered.octets


def test_items_of_a_message_that_went_meanwhile_are_not_kept(
    shared: SharedMaildir, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(shared.account.append("INBOX", [draft(mail("a"))]))
    inbox = shared.open()
    rendered = rendering.items

    async def slow(*given: Any) -> Any:
        found = await rendered(*given)
        await inbox.expunge([1])
        return found

    monkeypatch.setattr(rendering, "items", slow)
    finish(inbox.items([1]))
    assert not shared.account._open.rendered.octets
    assert finish(inbox.items([1, 1])) == [None, None]


def test_a_message_may_be_asked_for_twice(shared: SharedMaildir) -> None:
    finish(shared.account.append("INBOX", [draft(mail("a"))]))
    inbox = shared.open()
    [one] = finish(inbox.items([1]))
    assert finish(inbox.items([1, 1])) == [one, one]


def test_items_in_the_index_come_with_those_of_the_messages_around(
    shared: SharedMaildir, read: list[list[int]]
) -> None:
    finish(shared.account.append("INBOX", [draft(mail(str(n))) for n in range(450)]))
    inbox = shared.open()
    everything = finish(inbox.items(range(1, 451)))
    read.clear()
    for uid in (300, 201, 400, 1, 200, 450, 401):
        assert finish(inbox.items([uid])) == [everything[uid - 1]]
    assert finish(inbox.items(range(1, 451))) == everything
    assert read == [[300], [1], [450]]


def test_items_that_are_not_in_the_index_are_not_rendered_for_the_messages_around(
    shared: SharedMaildir, read: list[list[int]]
) -> None:
    finish(shared.account.append("INBOX", [draft(mail(n)) for n in "ab"]))
    inbox = shared.open()
    finish(inbox.items([1]))
    assert shared.render.rendered == [mail("a")]


def test_large_items_do_not_come_along(
    shared: SharedMaildir, read: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(shared.account.append("INBOX", [draft(mail(n)) for n in "abc"]))
    everything = finish(shared.open().items([1, 2, 3]))
    monkeypatch.setattr(items, "SMALL", len(everything[0].envelope) - 1)
    shared.restart()
    inbox = shared.open()
    read.clear()
    for _ in range(2):
        assert finish(inbox.items([1])) == everything[:1]
        assert finish(inbox.items([2])) == everything[1:2]
    assert read == [[1], [2]]


def test_the_items_of_a_whole_mailbox_are_not_kept(
    shared: SharedMaildir, read: list[list[int]]
) -> None:
    finish(shared.account.append("INBOX", [draft(mail(str(n))) for n in range(BLOCK + 1)]))
    inbox, whole = shared.open(), range(1, BLOCK + 2)
    for _ in range(2):
        finish(inbox.items(whole))
    finish(inbox.items([1]))
    finish(inbox.items(whole))
    assert list(map(len, read)) == [BLOCK + 1, BLOCK + 1, 1, 1]


def test_the_items_go_with_the_mailbox_that_is_in_memory_no_more(
    shared: SharedMaildir, read: list[list[int]]
) -> None:
    finish(shared.account.append("INBOX", [draft(mail("a"))]))
    for _ in range(2):
        inbox = shared.open()
        finish(inbox.items([1]))
        inbox.close()
    assert read == [[1]]
    finish(shared.account.close())
    finish(shared.open().items([1]))
    assert read == [[1], [1]]


def test_a_mailbox_that_was_closed_is_neither_watched_nor_claimed(tmp_path: Path) -> None:
    alice = WatchedMaildir(tmp_path)
    inbox = alice.open()
    finish(inbox.take_recent())
    inbox.close()
    finish(inbox.refresh())
    finish(inbox.take_recent())
    assert not alice.account.is_open
    assert not alice.account.lane.tree.own_events.folders
    assert alice.account.lane.tree.folder(b"").freshness.claimants == 0
    alice.monitor.close()
