"""Tests of twisted_mail.store.search.unwritten."""

import pytest

from twisted_mail.store.search import unwritten
from twisted_mail.store.search.fields import IndexedFields
from twisted_mail.store.search.fulltext import IndexedContent
from twisted_mail.store.search.indexed_messages import MailboxKey, MessageKey
from twisted_mail.store.search.texts import IndexedText
from twisted_mail.store.search.unwritten import UnwrittenContents

INBOX, TRASH = MailboxKey(b"", 1), MailboxKey(b".Trash", 2)


def content(uid: int, body: str = "text") -> IndexedContent:
    fields, text = IndexedFields((), are_whole=True), IndexedText("", body, "", is_whole=True)
    return IndexedContent(MessageKey(uid, b"base", 4), fields, text)


class RecordedIndex:
    """An index that notes what it is to write."""

    def __init__(self) -> None:
        self.written: list[tuple[MailboxKey, list[int]]] = []
        self.is_working = True

    def write(self, place: MailboxKey, contents: list[IndexedContent]) -> bool:
        self.written.append((place, [one.key.uid for one in contents]))
        return self.is_working


@pytest.fixture
def index() -> RecordedIndex:
    return RecordedIndex()


def test_some_hundreds_are_written_together(
    index: RecordedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unwritten, "MESSAGES", 3)
    waiting = UnwrittenContents(index.write)
    assert all(waiting.add(INBOX, content(uid)) for uid in range(1, 6))
    assert index.written == [(INBOX, [1, 2, 3])]
    assert waiting.write()
    assert waiting.write()
    assert index.written == [(INBOX, [1, 2, 3]), (INBOX, [4, 5])]


def test_long_texts_do_not_wait(index: RecordedIndex) -> None:
    waiting = UnwrittenContents(index.write)
    waiting.add(INBOX, content(1, "x" * unwritten.CHARACTERS))
    assert index.written == [(INBOX, [1])]


def test_what_is_of_one_mailbox_is_written_together(index: RecordedIndex) -> None:
    waiting = UnwrittenContents(index.write)
    waiting.add(INBOX, content(1))
    waiting.add(TRASH, content(2))
    waiting.write()
    assert index.written == [(INBOX, [1]), (TRASH, [2])]


def test_what_could_not_be_written_is_dropped(index: RecordedIndex) -> None:
    waiting = UnwrittenContents(index.write)
    waiting.add(INBOX, content(1))
    index.is_working = False
    assert not waiting.write()
    waiting.add(INBOX, content(2))
    assert not waiting.add(TRASH, content(3))
    index.is_working = True
    assert waiting.write()
    assert index.written == [(INBOX, [1]), (INBOX, [2]), (TRASH, [3])]
