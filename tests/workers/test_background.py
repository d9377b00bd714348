"""What workers do to mailboxes is indexed and tidied in the main process, and there alone."""

from pathlib import Path

import pytest
from twisted.internet.task import Clock as TwistedClock

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.net.bridged import Pair
from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.net.process.clock import ReactorClock
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.repair import compact
from twisted_mail.store.search.indexing import IDLE_SECONDS, Indexing
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.workers import background
from twisted_mail.workers.background import (
    COLLECT_SECONDS,
    BackgroundNotes,
    BackgroundService,
    NotedMailbox,
)

HELLO = Contains("text", "hello")


class NotingDisk(Disk):
    """Notes which messages are opened."""

    def __init__(self) -> None:
        self.opened: list[bytes] = []

    def open(self, path: bytes) -> int:
        if b"/cur/" in path or b"/new/" in path:
            self.opened.append(path)
        return super().open(path)


class NotingService(BackgroundService):
    """Remembers all notes."""

    noted: list[NotedMailbox]

    async def note(self, noted: list[NotedMailbox]) -> None:  # type: ignore[override]
        self.noted = [*getattr(self, "noted", []), *noted]
        await super().note(noted)


class Server:
    """The stores of a main process and of two workers, over one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = StillClock(2e9)
        self.reactor = TwistedClock()
        self.disk = NotingDisk()
        self.main = MaildirStore(folder, InlineBlocking(), self.clock, FakeRenderer())
        self.service = NotingService(self.main.catch_up)
        self.pair = Pair({"background": self.service})
        self.workers = [self._worker(), self._worker()]

    def _worker(self) -> MaildirStore:
        notes = BackgroundNotes(self.pair.near, ReactorClock(self.reactor))
        services = StoreServices(background=notes, disk=self.disk)
        return MaildirStore(self.folder, InlineBlocking(), self.clock, FakeRenderer(), services)

    def account(self, worker: int = 0, name: str = ALICE) -> MaildirAccount:
        return finish(self.workers[worker].account(name))

    def put(self, worker: int, *texts: str) -> tuple[int, ...]:
        drafts = [draft(mail(text)) for text in texts]
        return finish(self.account(worker).append("INBOX", drafts)).targets

    def collected(self) -> list[NotedMailbox]:
        """Let the notes reach the main process, and return them."""
        self.service.noted = []
        self.reactor.advance(COLLECT_SECONDS)
        self.pair.carry()
        return self.service.noted

    def work(self) -> None:
        """Let the main process do what waits."""
        self.collected()
        self.clock.seconds += IDLE_SECONDS
        while self.main.indexing.is_needed:
            finish(self.main.indexing.work())
        while finish(self.main.compaction.step()):
            pass

    def read_by_search(self, worker: int) -> int:
        """Return how many messages a search had to read."""
        mailbox = finish(self.account(worker).open("INBOX"))
        before = len(self.disk.opened)
        finish(mailbox.matching(list(mailbox.columns.uids), HELLO))
        mailbox.close()
        return len(self.disk.opened) - before


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def test_what_comes_into_a_worker_is_indexed_in_the_main_process(server: Server) -> None:
    server.put(0, "hello", "other")
    server.put(1, "hello")
    server.work()
    assert not any(store.indexing.is_needed for store in server.workers)
    assert server.read_by_search(0) == server.read_by_search(1) == 0
    server.put(1, "hello")
    server.work()
    assert server.read_by_search(0) == 0


def test_a_search_that_had_to_read_is_the_last_that_does(server: Server) -> None:
    server.put(0, "hello")
    server.collected()
    server.main.indexing = Indexing(server.clock)  # it forgets
    assert server.read_by_search(1) == 1
    server.work()
    assert server.read_by_search(1) == 0


def test_a_mailbox_is_noted_once_however_much_happens_in_it(server: Server) -> None:
    for _ in range(3):
        server.put(0, "hello")
    assert server.collected() == [(ALICE, "INBOX", False)]
    assert server.collected() == []
    server.put(0, "hello")
    assert server.collected() == [(ALICE, "INBOX", False)]


def test_a_mailbox_that_is_opened_again_is_not_compared_again(server: Server) -> None:
    server.put(0, "hello")
    server.work()
    for _ in range(2):
        finish(server.account(1).open("INBOX")).close()
    assert server.collected() == [(ALICE, "INBOX", True)]
    finish(server.account(1).open("INBOX")).close()
    assert server.collected() == []


def test_a_mailbox_that_is_gone_holds_up_no_other(server: Server) -> None:
    account = server.account()
    finish(account.create("Gone"))
    finish(account.append("Gone", [draft(mail("hello"))]))
    server.put(0, "hello")
    finish(account.delete("Gone"))
    assert [mailbox for _, mailbox, _ in server.collected()] == ["Gone", "INBOX"]
    server.work()
    assert server.read_by_search(0) == 0


def test_notes_are_bounded(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "MOST_NOTED", 2)
    notes = BackgroundNotes(server.pair.near, ReactorClock(server.reactor))
    for name in ("one", "two", "three"):
        notes(ALICE, name, False)
    notes(ALICE, "one", True)
    assert server.collected() == [(ALICE, "one", True), (ALICE, "two", False)]


def test_lists_of_uids_are_tidied_in_the_main_process(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compact, "LEAST", 5)
    uids = server.put(0, *map(str, range(12)))
    server.work()
    inbox = finish(server.account().open("INBOX"))
    finish(inbox.expunge(uids[:9]))
    server.work()
    listed = server.folder / "example.org" / "alice" / "Maildir" / "dovecot-uidlist"
    assert len(listed.read_bytes().splitlines()) == 1 + 3
    assert server.put(1, "hello") == (13,)
