import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from inspect import iscoroutinefunction
from typing import Any

import pytest

from tests.contracts.account import AccountContract
from tests.contracts.ground import ALICE, FakeRenderer, draft, mail, refused
from twisted_mail.interfaces import Account, Blocking
from twisted_mail.mail.mailbox.change import MailboxCreated
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.store.memory.account import MemoryAccount, MemoryStore
from twisted_mail.store.memory.data import MemoryStoreLimits
from twisted_mail.store.memory.mailbox import MemoryMailbox
from twisted_mail.testing.doubles import StillClock, finish


class TestMemoryStore(AccountContract):
    keyword_limit = 130

    @pytest.fixture
    def make_store(self, clock, render):
        return lambda quota=None: MemoryStore(
            clock, render, MemoryStoreLimits(quota=quota, keywords=130)
        )

    @pytest.fixture
    def make_waiting_store(self, clock, render):
        return lambda blocking: Hesitant(MemoryStore(clock, render), blocking)


class Hesitant:
    """A store, account or mailbox that lets others go first before and after all it does."""

    def __init__(self, target: Any, blocking: Blocking) -> None:
        self._target = target
        self._blocking = blocking

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        return partial(self._hesitate, found) if iscoroutinefunction(found) else found

    async def _hesitate(self, method: Callable[..., Any], *arguments: Any) -> Any:
        answer = await self._blocking.run(lambda: finish(method(*arguments)))
        is_place = isinstance(answer, MemoryAccount | MemoryMailbox)
        return Hesitant(answer, self._blocking) if is_place else answer


def account_with(limits: MemoryStoreLimits) -> Account:
    return finish(MemoryStore(StillClock(), FakeRenderer(), limits).account(ALICE))


def test_clock_and_renderer_are_enough():
    store = MemoryStore(StillClock(), FakeRenderer())
    assert finish(store.account(ALICE)).name == ALICE


def test_a_later_store_has_greater_uidvalidities():
    first = MemoryStore(StillClock(1_000_000_000), FakeRenderer())
    later = MemoryStore(StillClock(1_000_000_100), FakeRenderer())
    before, after = (
        finish(finish(store.account(ALICE)).status("INBOX")).uidvalidity for store in (first, later)
    )
    assert after > before


def test_a_mailbox_too_many_is_refused_and_nothing_made():
    account = account_with(MemoryStoreLimits(mailboxes=8))
    heard = []
    account.watch(heard.append)
    with refused("LIMIT"):
        finish(account.create("a/b/c"))
    with refused("LIMIT"):
        finish(account.rename("Sent", "a/b/c/Sent"))
    with refused("LIMIT"):
        finish(account.rename("INBOX", "a/b/c"))
    assert (heard, len(finish(account.mailboxes()))) == ([], 6)
    finish(account.create("a/b"))
    assert heard == [MailboxCreated("a"), MailboxCreated("a/b")]
    with refused("LIMIT"):
        finish(account.create("c"))


def test_a_subscription_too_many_is_refused():
    account = account_with(MemoryStoreLimits(mailboxes=8))
    for name in ("one", "two"):
        finish(account.subscribe(name, True))
    with refused("LIMIT"):
        finish(account.subscribe("three", True))
    finish(account.subscribe("one", False))
    finish(account.subscribe("three", True))


def test_keywords_that_no_message_has_make_room_for_others():
    account = account_with(MemoryStoreLimits(keywords=2))
    uids = finish(account.append("INBOX", [draft(mail("one")), draft(mail("two"))])).targets
    inbox = finish(account.open("INBOX"))
    finish(inbox.mark(uids[:1], "set", normal(["one", "two"])))
    assert not inbox.may_add_keywords
    finish(inbox.mark(uids[:1], "set", normal(["two"])))
    assert inbox.may_add_keywords
    finish(inbox.mark(uids[1:], "set", normal(["three"])))
    assert {*inbox.keywords} == {"two", "three"}
    with refused("LIMIT"):
        finish(inbox.mark(uids[1:], "add", normal(["ONE"])))


def test_watchers_that_fail_are_reported_and_harm_nobody():
    reported = []
    store = MemoryStore(StillClock(), FakeRenderer(), report=reported.append)
    account = finish(store.account(ALICE))
    account.watch(lambda change: 1 // 0)
    finish(account.create("work"))
    assert [type(error) for error in reported] == [ZeroDivisionError]


def test_without_a_report_the_change_is_made_before_the_failure_is_raised():
    account = account_with(MemoryStoreLimits())
    account.watch(lambda change: 1 // 0)
    with suppress(ZeroDivisionError):
        finish(account.create("work"))
    assert "work" in [info.name for info in finish(account.mailboxes())]


def test_fifty_thousand_messages_take_no_longer_each_than_a_few():
    account = account_with(MemoryStoreLimits())
    inbox = finish(account.open("INBOX"))
    started = time.process_time()
    uids = finish(account.append("INBOX", [draft(b"x")] * 50_000)).targets
    finish(inbox.mark(uids, "add", normal(["\\Seen"])))
    finish(inbox.copy(uids, "Sent"))
    finish(inbox.move(uids[::2], "Trash"))
    assert finish(inbox.expunge(uids)) == uids[1::2]
    assert time.process_time() - started < 10  # half a second; quadratic, it would be minutes
