"""Tests of twisted_mail.store.account.mailbox: items from memory."""

import pytest

from tests.contracts.ground import draft, mail
from tests.store.shared_maildir import SharedMaildir
from twisted_mail.store.reading import items
from twisted_mail.testing.doubles import finish


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The UIDs of each question that the index was asked for rendered items."""
    asked: list[list[int]] = []
    known_items = items.known_items

    def asking(folder, work, uids, version):
        asked.append(list(uids))
        return known_items(folder, work, uids, version)

    monkeypatch.setattr(items, "known_items", asking)
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
