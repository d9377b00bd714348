"""What workers do to mailboxes is indexed and tidied in the main process, and there alone."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock as TwistedClock

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.net.bridged import Pair
from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.net.process.clock import ReactorClock
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.repair import compact
from twisted_mail.store.search.indexing import IDLE_SECONDS, Indexing
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.workers import background
from twisted_mail.workers.background import (
    COLLECT_SECONDS,
    MOST_AT_ONCE,
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

    def note(self, noted: Sequence[NotedMailbox]) -> None:
        self.noted = [*getattr(self, "noted", []), *noted]
        super().note(noted)


class Server:
    """The stores of a main process and of two workers, over one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = StillClock(2e9)
        self.reactor = TwistedClock()
        self.disk = NotingDisk()
        self.main = MaildirStore(folder, InlineBlocking(), self.clock, FakeRenderer())
        self.service = NotingService(self.main.catch_up, ListJournal())
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


class Mailboxes:
    """Mailboxes that are looked at; those ``stalled`` answer when they are told to, ``bad`` ones fail."""

    def __init__(self) -> None:
        self.looked_at: list[NotedMailbox] = []
        self.stalled: dict[str, Deferred[None]] = {}
        self.bad: dict[str, Exception] = {}
        self.journal = ListJournal()
        self.service = BackgroundService(self.catch_up, self.journal)

    async def catch_up(self, account: str, mailbox: str, must_compare: bool) -> None:
        self.looked_at.append((account, mailbox, must_compare))
        if account in self.stalled:
            await self.stalled[account]
        if mailbox in self.bad:
            raise self.bad[mailbox]

    def note(self, *noted: str) -> None:
        self.service.note([(*each.split("/"), False) for each in noted])  # type: ignore[misc]

    @property
    def names(self) -> list[str]:
        return [f"{account}/{mailbox}" for account, mailbox, _ in self.looked_at]


def test_a_bug_in_one_mailbox_holds_up_no_other() -> None:
    mailboxes = Mailboxes()
    mailboxes.bad = {"one": ValueError("a bug"), "two": Unavailable("no disk")}
    mailboxes.note("a/one", "a/two", "a/three", "b/one", "b/four")
    assert mailboxes.names == ["a/one", "a/two", "a/three", "b/one", "b/four"]
    assert mailboxes.journal.of("failed") == [("background",)] * 2


def test_an_account_that_stalls_holds_up_no_other_and_its_notes_do_not_pile_up() -> None:
    mailboxes = Mailboxes()
    mailboxes.stalled["dead"] = Deferred()
    mailboxes.note("dead/one", "dead/two", "alive/one")
    for _ in range(5):
        mailboxes.note("dead/one", "dead/two", "alive/two")
    mailboxes.service.note([("dead", "two", True)])
    assert mailboxes.names == ["dead/one", "alive/one", *["alive/two"] * 5]
    mailboxes.looked_at.clear()
    mailboxes.stalled.pop("dead").callback(None)
    assert mailboxes.looked_at == [
        ("dead", "two", False),
        ("dead", "one", False),
        ("dead", "two", True),
    ]


def test_no_more_accounts_are_looked_at_together_than_a_few() -> None:
    mailboxes = Mailboxes()
    names = [f"{number}" for number in range(MOST_AT_ONCE + 2)]
    mailboxes.stalled = {name: Deferred() for name in names}
    mailboxes.note(*(f"{name}/one" for name in names))
    assert len(mailboxes.names) == MOST_AT_ONCE
    for name in list(names):
        mailboxes.stalled[name].callback(None)
    assert mailboxes.names == [f"{name}/one" for name in names]


def test_what_waits_in_the_main_process_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "MOST_NOTED", 3)
    mailboxes = Mailboxes()
    mailboxes.stalled["dead"] = Deferred()
    mailboxes.note("dead/zero")
    for number in range(5):
        mailboxes.note(f"dead/{number}")
    mailboxes.service.note([("dead", "1", True)])
    mailboxes.stalled.pop("dead").callback(None)
    assert mailboxes.looked_at[1:] == [
        ("dead", "0", False),
        ("dead", "1", True),
        ("dead", "2", False),
    ]


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
