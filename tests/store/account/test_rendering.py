"""Items of headers are at hand of new mail, and go along with what is copied or moved."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, draft
from tests.store.shared_maildir import SharedMaildir, uids
from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.mail.mailbox.entry import ItemTier, RenderedItems
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.store.tree.first_look import FIRST
from twisted_mail.store.work import newcomers
from twisted_mail.testing.doubles import finish

HEADER, STRUCTURE = ItemTier.HEADER, ItemTier.STRUCTURE


class CountingRenderer(ItemRenderer):
    """The renderer of IMAP, which counts what it rendered."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(
        self,
        data: bytes,
        tier: ItemTier = ItemTier.PREVIEW,
        known: RenderedItems | None = None,
    ) -> RenderedItems:
        self.count += 1
        return super().__call__(data, tier, known)


@pytest.fixture
def render() -> CountingRenderer:
    return CountingRenderer()


@pytest.fixture
def shared(tmp_path: Path, render: CountingRenderer) -> SharedMaildir:
    shared = SharedMaildir(tmp_path)
    shared.render = render
    shared.restart()
    return shared


def mail(text: str) -> bytes:
    return f"From: a@b.example\r\nSubject: {text}\r\n\r\nBody of {text}\r\n".encode()


def expected(tier: ItemTier, *texts: str) -> list[RenderedItems]:
    return [ItemRenderer()(mail(text), tier) for text in texts]


def test_the_headers_of_new_mail_are_at_hand_when_it_is_seen(
    shared: SharedMaildir, render: CountingRenderer
) -> None:
    finish(shared.store.deliver([ALICE], Message(MemoryBlob(mail("delivered")))))
    shared.drop("new/2.dropped.host", mail("dropped").replace(b"\r\n", b"\n"))
    inbox = shared.open()
    assert render.count == 2
    found = finish(inbox.items(uids(inbox), HEADER))
    assert sorted(found) == sorted(expected(HEADER, "delivered", "dropped"))
    assert render.count == 2


def test_what_takes_long_is_left_for_later(
    shared: SharedMaildir, render: CountingRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.drop("new/1.long.host", b"X: " + b"x" * FIRST + b"\r\n\r\n")
    inbox = shared.open()
    assert render.count == 0
    monkeypatch.setattr(newcomers, "MEASURED_AT_ONCE", 1)
    for number in range(2):
        shared.drop(f"new/2{number}.many.host", mail("many"))
    finish(inbox.refresh())
    assert (len(inbox.columns), render.count) == (3, 0)


@pytest.mark.parametrize("tier", [HEADER, STRUCTURE])
@pytest.mark.parametrize("alter", ["copy", "move"])
def test_items_go_along(
    shared: SharedMaildir, render: CountingRenderer, tier: ItemTier, alter: str
) -> None:
    finish(shared.account.append("INBOX", [draft(mail(text)) for text in "abc"]))
    inbox = shared.open()
    finish(inbox.items([1, 3], tier))
    carry: Callable = getattr(inbox, alter)
    finish(carry([1, 2, 3], "Archive"))
    made, archive = render.count, shared.open("Archive")
    assert finish(archive.items([1, 3], tier)) == expected(tier, "a", "c")
    assert render.count == made
    assert finish(archive.items([2], tier)) == expected(tier, "b")
    assert render.count == made + 1


def test_items_are_those_of_the_messages_after_a_copy_within_a_mailbox(
    shared: SharedMaildir,
) -> None:
    finish(shared.account.append("INBOX", [draft(mail(text)) for text in "ab"]))
    inbox = shared.open()
    finish(inbox.items([1, 2], HEADER))
    finish(inbox.copy([2, 1], "INBOX"))
    finish(inbox.move([1], "INBOX"))
    finish(inbox.expunge([2]))
    assert uids(inbox) == [3, 4, 5]
    assert finish(inbox.items([3, 4, 5], HEADER)) == expected(HEADER, "a", "b", "a")
