"""Tests of twisted_mail.store.work.lane: an account whose disk does not answer holds up no other."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tests.contracts.ground import ALICE, BOB, FakeRenderer, draft, mail
from tests.store.watched_maildir import WatchedMaildir
from twisted_mail.mail.outcome import Refused
from twisted_mail.net.process.clock import ReactorClock
from twisted_mail.store import maildir
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.store.work import lane
from twisted_mail.store.work.lane import STALLED_SECONDS
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


class StallingBlocking(InlineBlocking):
    """Lanes that do their work at once, until one is told never to answer."""

    def __init__(self) -> None:
        self.is_stalled = False
        self.lanes: list[StallingBlocking] = []

    def lane(self) -> "StallingBlocking":
        self.lanes.append(StallingBlocking())
        return self.lanes[-1]

    async def run(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.is_stalled:
            await Deferred()
        return work(*args, **kwargs)


class Stalling:
    """A store whose account alice does not answer any more; bob's does."""

    def __init__(self, root: Path) -> None:
        self.reactor = Clock()
        clock = ReactorClock(self.reactor)
        clock.monotonic = clock.now = lambda: 2e9 + self.reactor.seconds()  # type: ignore[method-assign]
        self.blocking = StallingBlocking()
        self.store = MaildirStore(root, self.blocking, clock, FakeRenderer())
        self.alice, self.bob = (self.account(name) for name in (ALICE, BOB))

    def account(self, name: str) -> MaildirAccount:
        account = finish(self.store.account(name))
        finish(account.append("INBOX", [draft(mail("hello"))]))
        finish(account.open("INBOX"))
        return account

    def stall(self) -> None:
        alices, _bobs = self.alice.lane._blocking, self.bob.lane._blocking
        alices.is_stalled = True  # type: ignore[attr-defined]

    def begin(self, work: Any) -> list[Any]:
        """Begin something; return a list in which its result will stand."""
        results: list[Any] = []
        Deferred.fromCoroutine(work).addBoth(results.append)
        return results


@pytest.fixture
def stalling(tmp_path: Path) -> Stalling:
    return Stalling(tmp_path)


@pytest.mark.parametrize("work", ["indexing", "rendering"])
def test_what_is_done_in_the_background_for_others_goes_on(stalling: Stalling, work: str) -> None:
    waiting = getattr(stalling.store, work)
    stalling.reactor.advance(10)
    stalling.stall()
    for _ in range(3):
        begun = stalling.begin(waiting.work())
        for _ in range(2 - 2 * len(begun)):  # once for what waits, and once to tidy up after it
            stalling.reactor.advance(STALLED_SECONDS)
        assert begun == [None]
    assert not waiting.is_needed


def test_lists_of_others_are_tidied(stalling: Stalling) -> None:
    stalling.reactor.advance(10)
    stalling.stall()
    begun = stalling.begin(stalling.store.compaction.step())
    assert begun == []
    stalling.reactor.advance(STALLED_SECONDS)
    assert begun == [True]
    assert stalling.begin(stalling.store.compaction.step()) == [True]


def test_indexes_of_others_are_closed(stalling: Stalling) -> None:
    stalling.stall()
    begun = stalling.begin(stalling.store.close_accounts(2))
    assert begun == []
    stalling.reactor.advance(STALLED_SECONDS)
    assert begun == [None]
    assert not stalling.bob.lane.tree.has_open_index


def test_others_log_in(stalling: Stalling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maildir, "OPEN_ACCOUNTS", 1)
    for account in (stalling.alice, stalling.bob):
        account._open.forget_closed()
    stalling.stall()
    begun = [stalling.begin(stalling.store.account("carol@example.org")) for _ in range(2)]
    assert sum(not each for each in begun) <= 1
    stalling.reactor.advance(STALLED_SECONDS)
    assert all(begun)


def test_an_account_that_was_removed_with_its_mail_is_not_made_again(tmp_path: Path) -> None:
    alice = WatchedMaildir(tmp_path)
    finish(alice.account.append("INBOX", [draft(mail("hello"))]))
    inbox = alice.open()
    shutil.rmtree(alice.maildir.parent)
    alice.turn()
    alice.clock.seconds += 10
    for _ in range(3):
        for work in (alice.store.indexing.work, alice.store.rendering.work):
            finish(work())
        finish(alice.store.compaction.step())
        with suppress(Refused):
            finish(alice.store.catch_up(ALICE, "INBOX", True))
        alice.turn()
    assert not alice.maildir.parent.exists()
    inbox.close()
    finish(alice.account.append("INBOX", [draft(mail("hello"))]))
    assert alice.maildir.exists()
    alice.monitor.close()


def test_work_that_takes_long_counts_as_stalled_while_it_does(tmp_path: Path) -> None:
    clock = StillClock()
    store = MaildirStore(tmp_path, InlineBlocking(), clock, FakeRenderer())
    account = finish(store.account(ALICE))
    seen: list[bool] = []

    def work() -> None:
        for _ in range(2):
            seen.append(account.lane.is_stalled)
            clock.seconds += lane.STALLED_SECONDS
        seen.append(account.lane.is_stalled)

    finish(account.lane.call(work))
    assert (seen, account.lane.is_stalled) == ([False, True, True], False)
