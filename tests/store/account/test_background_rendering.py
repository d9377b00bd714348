"""Tests of twisted_mail.store.account.background_rendering: what waits, and who goes first."""

import errno
import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, BOB, FakeRenderer, draft, mail
from tests.faults import QuickDisk
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE, ItemTier
from twisted_mail.store.account import background_rendering
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.account.background_rendering import IDLE_SECONDS, PIECE
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.reading import items
from twisted_mail.store.work import newcomers
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


class SlowDisk(QuickDisk):
    """Lets time go by whenever a message is opened."""

    def __init__(self, clock: StillClock) -> None:
        self.clock = clock
        self.seconds = 0.0

    def open(self, path: bytes) -> int:
        if b"/cur/" in path:
            self.clock.seconds += self.seconds
        return super().open(path)


class RenderingStore:
    """A store whose background is worked on when a test says so."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = StillClock(2.5e9)
        self.disk = SlowDisk(self.clock)
        self.render = FakeRenderer()
        self.told: list[tuple[str, str, int, int]] = []
        services = StoreServices(rendered=lambda *told: self.told.append(told), disk=self.disk)
        self.store = MaildirStore(root, InlineBlocking(), self.clock, self.render, services)
        self.background = self.store.rendering

    def account(self, name: str = ALICE) -> MaildirAccount:
        return finish(self.store.account(name))

    def drop(self, *texts: str, name: str = ALICE) -> None:
        """Put files where another program puts them."""
        local, _, domain = name.partition("@")
        folder = self.root / domain / local / "Maildir" / "cur"
        folder.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(texts, len(list(folder.iterdir()))):
            (folder / f"{number}.a:2,").write_bytes(mail(text))

    def append(self, *texts: str) -> None:
        finish(self.account().append("INBOX", [draft(mail(text)) for text in texts]))

    def idle(self) -> None:
        self.clock.seconds += IDLE_SECONDS

    def work(self) -> None:
        finish(self.background.work())

    def finish(self) -> None:
        self.idle()
        for _ in range(100):
            if not self.background.is_needed:
                return
            self.work()
        raise AssertionError("it does not end")

    @property
    def subjects(self) -> list[bytes]:
        """The texts of what was rendered, in that order."""
        return [data.split(b"\r\n")[0].removeprefix(b"Subject: ") for data in self.render.rendered]


@pytest.fixture(autouse=True)
def _in_masses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newcomers, "MEASURED_AT_ONCE", 0)


@pytest.fixture
def there(tmp_path: Path) -> RenderingStore:
    return RenderingStore(tmp_path)


def numbers(stop: int, start: int = 0) -> Sequence[str]:
    return list(map(str, range(start, stop)))


def test_mail_that_was_there_is_rendered_when_nobody_uses_the_account(
    there: RenderingStore,
) -> None:
    there.drop(*numbers(2 * PIECE))
    inbox = finish(there.account().open("INBOX"))
    there.work()
    assert there.subjects == []
    there.finish()
    assert sorted(map(int, there.subjects)) == list(range(2 * PIECE))
    assert UNKNOWN_DATE not in inbox.columns.dates
    finish(inbox.items(list(inbox.columns.uids), ItemTier.HEADER))
    assert len(there.subjects) == 2 * PIECE


def test_the_newest_are_rendered_first_and_others_have_their_turn(there: RenderingStore) -> None:
    there.drop(*numbers(30))
    inbox = finish(there.account().open("INBOX"))
    there.idle()
    there.disk.seconds = 0.05
    there.work()
    assert set(map(int, there.subjects[:10])) == set(range(20, 30))
    assert len(there.subjects) < 30
    there.finish()
    assert len(there.subjects) == len(inbox.columns) == 30


def test_whoever_uses_the_account_stops_it(there: RenderingStore) -> None:
    there.drop(*numbers(2 * PIECE))
    inbox = finish(there.account().open("INBOX"))
    there.idle()
    finish(inbox.refresh())
    there.work()
    assert there.subjects == []


def test_what_is_appended_is_rendered_and_nothing_else_is_looked_at(
    there: RenderingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.append("old")
    finish(there.account().open("INBOX"))
    there.finish()
    monkeypatch.setattr(background_rendering, "lacking", None)
    there.append("one", "two")
    there.finish()
    assert sorted(there.subjects) == [b"old", b"one", b"two"]


def test_of_very_many_the_index_is_asked_a_part_at_a_time(
    there: RenderingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_rendering, "MAX_NOTED", 20)
    account = there.account()
    inbox = finish(account.open("INBOX"))
    there.finish()
    there.drop(*numbers(55))
    finish(inbox.refresh())
    there.finish()
    made = list(map(int, there.subjects))
    assert [set(made[:20]), set(made[20:40])] == [set(range(35, 55)), set(range(15, 35))]
    assert sorted(made) == list(range(55))


def test_messages_that_cannot_be_read_are_tried_once(
    there: RenderingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_rendering, "MAX_NOTED", 3)
    there.drop(*numbers(10))
    inbox = finish(there.account().open("INBOX"))
    tried: list[bytes] = []

    def look_at(folder, row):
        tried.append(row.base)
        raise OSError(errno.EACCES, "nobody may read it")

    monkeypatch.setattr(items, "look_at", look_at)
    there.finish()
    assert len(tried) == len(inbox.columns) == 10


def test_nothing_is_rendered_twice(there: RenderingStore) -> None:
    there.drop(*numbers(10))
    inbox = finish(there.account().open("INBOX"))
    finish(inbox.items([1, 2, 3]))
    made = len(there.subjects)
    there.finish()
    assert len(there.subjects) == made + 7
    inbox.close()
    finish(there.account().open("INBOX"))
    assert not there.background.is_needed


def test_accounts_take_turns(there: RenderingStore) -> None:
    there.disk.seconds = 0.05
    opened = []
    for name, text in ((ALICE, "a"), (BOB, "b")):
        there.drop(*[text] * 60, name=name)
        opened.append(finish(there.account(name).open("INBOX")))
    there.idle()
    for _ in range(6):
        there.work()
    owners = [owner for owner, _ in itertools.groupby(there.subjects)]
    assert len(owners) >= 4
    assert len(opened) == 2


def test_a_mailbox_that_is_gone_or_unreadable_holds_nobody_up(there: RenderingStore) -> None:
    account = there.account()
    finish(account.create("Gone"))
    gone = finish(account.open("Gone"))
    finish(account.append("Gone", [draft(mail("gone"))]))
    finish(account.delete("Gone"))
    there.drop("good", "bad")
    inbox = finish(account.open("INBOX"))
    [bad] = there.root.rglob("cur/1.a:2,")
    bad.unlink()
    bad.mkdir()
    there.finish()
    assert there.subjects == [b"good"]
    assert gone is not inbox


def test_a_long_rendering_is_reported(
    there: RenderingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_rendering, "REPORTED", 150)
    there.drop(*numbers(200))
    inbox = finish(there.account().open("INBOX"))
    there.finish()
    assert there.told[0] == (ALICE, "INBOX", PIECE, 200)
    assert there.told[-1] == (ALICE, "INBOX", 200, 200)
    assert len(inbox.columns) == 200


def test_the_end_of_a_long_rendering_is_reported_once(
    there: RenderingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_rendering, "REPORTED", 150)
    inbox = finish(there.account().open("INBOX"))  # and the index is to be asked of it
    there.drop(*numbers(200))
    finish(inbox.refresh())
    there.finish()
    assert [done for _, _, done, _ in there.told] == [PIECE, 200]


@pytest.mark.parametrize("is_open", [True, False])
def test_what_was_rendered_is_rendered_again_where_the_index_was_lost(
    there: RenderingStore, is_open: bool
) -> None:
    there.append("one", "two")
    inbox = finish(there.account().open("INBOX"))
    there.finish()
    if not is_open:
        inbox.close()
    for path in there.root.glob("*/*/index.sqlite3*"):
        path.unlink()
    finish(there.account().mailboxes())
    there.render.rendered.clear()
    there.finish()
    assert sorted(there.subjects) == [b"one", b"two"]
    assert not there.background.is_needed
