"""Tests of twisted_mail.store.reservations: deliveries and the room they reserve."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.ground import ALICE, BOB
from tests.store.quota.account import TEXT, deliver, put
from twisted_mail.mail.outcome import MailError, Refused, Unavailable
from twisted_mail.store.format import layout
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.store.quota import COUNT_SECONDS, MAX_RESERVATIONS, Quota, QuotaLedger, Usage
from twisted_mail.store.reservations import QuotaReserver, end
from twisted_mail.testing.doubles import StillClock, finish


class Counter:
    """Counts an account for a Room, and remembers how often; ``held`` is what it finds."""

    def __init__(self) -> None:
        self.held = Usage()
        self.times = 0
        self.ledger: QuotaLedger | None = None

    async def __call__(self, name: str) -> tuple[Usage, int]:
        self.times += 1
        return self.held, self.ledger.claims if self.ledger else 0


def room(counter: Counter, clock: StillClock, quota: Quota) -> QuotaReserver:
    async def quotas(_: str) -> Quota:
        return quota

    made = QuotaReserver(quotas, counter, clock)
    counter.ledger = finish(made.ledger(ALICE))
    return made


def take(found: QuotaReserver) -> Any:
    return finish(found.take([ALICE], 10))[ALICE]


def test_deliveries_are_counted_without_the_index(clock: StillClock) -> None:
    counter = Counter()
    found = room(counter, clock, Quota(octets=1000))
    for _ in range(50):
        end({ALICE: take(found)}, {ALICE: None})
    assert counter.times == 1


def test_deliveries_at_the_same_time_do_not_take_the_same_room(clock: StillClock) -> None:
    counter = Counter()
    found = room(counter, clock, Quota(octets=35))
    taken = [take(found) for _ in range(5)]
    assert [isinstance(slot, MailError) for slot in taken] == [False] * 3 + [True] * 2
    assert isinstance(taken[3], Unavailable), "a delivery may fail yet"
    end({ALICE: taken[0]}, {ALICE: Unavailable("no")})
    assert not isinstance(take(found), MailError)


def test_a_refusal_is_decided_on_a_fresh_count(clock: StillClock) -> None:
    counter = Counter()
    found = room(counter, clock, Quota(messages=2))
    for _ in range(2):
        end({ALICE: take(found)}, {ALICE: None})
    counter.held = Usage(10, 1)  # one was expunged
    assert not isinstance(take(found), MailError)
    counter.held = Usage(20, 2)
    assert take(found).outcome.enhanced == "5.2.2"


def test_what_is_under_way_while_it_is_counted_counts_on(clock: StillClock) -> None:
    counter = Counter()
    found = room(counter, clock, Quota(messages=2))
    first = take(found)
    clock.seconds += COUNT_SECONDS
    second = take(found)
    assert counter.times == 2
    assert not isinstance(second, MailError)
    assert isinstance(take(found), Unavailable)
    end({ALICE: first}, {ALICE: None})
    end({ALICE: second}, {ALICE: None})
    counter.held = Usage(20, 2)
    assert isinstance(take(found), Refused)


def test_it_is_counted_again_after_an_append_a_while_and_many_deliveries(
    clock: StillClock,
) -> None:
    counter = Counter()
    found = room(counter, clock, Quota(octets=10_000_000))
    take(found)
    assert counter.ledger is not None
    counter.ledger.claims += 1
    take(found)
    assert counter.times == 2
    clock.seconds += COUNT_SECONDS
    take(found)
    assert counter.times == 3
    for _ in range(MAX_RESERVATIONS + 1):
        end({ALICE: take(found)}, {ALICE: None})
    assert counter.times == 4


def test_an_append_sees_the_deliveries_under_way(
    make_store: Callable[..., MaildirStore],
) -> None:
    store = make_store(messages=2)
    account = finish(store.account(ALICE))
    taken = finish(store._reserver.take([ALICE], len(TEXT)))
    with pytest.raises(Unavailable) as caught:
        put(account, number=2)
    assert caught.value.condition == "OVERQUOTA"
    end(taken, {ALICE: Unavailable("no")})
    put(account, number=2)


def test_an_account_that_cannot_be_counted_does_not_keep_others_from_their_mail(
    make_store: Callable[..., MaildirStore], tmp_path: Path
) -> None:
    store = make_store(messages=2)
    path = Path(os.fsdecode(layout.account_path(os.fsencode(tmp_path), ALICE)))
    path.parent.mkdir(parents=True)
    path.touch()
    answers = deliver(store, ALICE, BOB)
    assert isinstance(answers[ALICE], Unavailable)
    assert answers[BOB] is None
