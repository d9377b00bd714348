"""Passwords wait in a line where those who guess do not hold up those who know."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from twisted_mail.auth import login_queue_order
from twisted_mail.auth.login_queue import SharedLoginLine
from twisted_mail.auth.login_queue_order import FAILURE_SECONDS, SUCCESS_SECONDS
from twisted_mail.interfaces import Blocking, LoginAttempt
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.testing.doubles import StillClock

HOME, CAFE = "192.0.2.0/24", "198.51.100.0/24"


class Threads:
    """Threads that do their work when they are told to."""

    def __init__(self) -> None:
        self.begun: list[Deferred[Any]] = []

    async def run(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        turn: Deferred[Any] = Deferred()
        self.begun.append(turn)
        await turn
        return work(*args, **kwargs)

    def lane(self) -> Blocking:
        raise NotImplementedError

    @property
    def is_idle(self) -> bool:
        raise NotImplementedError


@dataclass
class LineFixture:
    most: int = 1
    waiting: int = 100
    clock: StillClock = field(default_factory=StillClock)
    threads: Threads = field(default_factory=Threads)
    checked: list[str] = field(default_factory=list)
    answers: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.line = SharedLoginLine(self.threads, self.most, self.waiting, self.clock.monotonic)

    def log_in(
        self,
        name: str,
        network: str = HOME,
        *,
        is_right: bool = True,
        is_known: bool = True,
        gone: bool = False,
        title: str = "",
    ) -> None:
        attempt = LoginAttempt(network, lambda: gone)
        title = title or name

        def work() -> bool:
            self.checked.append(title)
            return is_right

        waiting = Deferred.fromCoroutine(self.line.check(attempt, name, is_known, work))
        waiting.addBoth(lambda result: self.answers.__setitem__(title, result))

    def check_one(self) -> None:
        self.threads.begun.pop(0).callback(None)

    def check_all(self) -> list[str]:
        while self.threads.begun:
            self.check_one()
        return self.checked

    def has_given_way(self, title: str) -> bool:
        return isinstance(getattr(self.answers.get(title), "value", None), Unavailable)


@pytest.fixture
def line() -> LineFixture:
    made = LineFixture()
    made.log_in("first", "203.0.113.0/24")  # it is at work from now on, and others wait
    return made


def test_no_more_are_checked_at_a_time_than_there_are_threads() -> None:
    fixture = LineFixture(most=2)
    for name in "abcd":
        fixture.log_in(name)
    assert len(fixture.threads.begun) == 2
    assert fixture.check_all() == ["a", "b", "c", "d"]
    assert fixture.answers == dict.fromkeys("abcd", True)


def test_a_network_with_many_logins_has_one_turn_as_others_have(line: LineFixture) -> None:
    for number in range(3):
        line.log_in(f"crowd{number}", CAFE)
    line.log_in("alice")
    assert line.check_all() == ["first", "alice", "crowd0", "crowd1", "crowd2"]


def test_each_network_that_waits_has_one_turn_before_any_has_another(line: LineFixture) -> None:
    for number in range(2):
        line.log_in(f"crowd{number}", CAFE)
    line.log_in("alice")
    line.log_in("bob")
    assert line.check_all() == ["first", "alice", "crowd0", "bob", "crowd1"]


def test_where_others_have_logged_in_a_new_name_goes_before_networks_not_known(
    line: LineFixture,
) -> None:
    line.log_in("alice")
    line.check_all()
    line.checked.clear()
    line.log_in("first", "203.0.113.0/24")
    line.log_in("bob")
    line.log_in("stranger", CAFE)
    assert line.check_all() == ["first", "bob", "stranger"]


def test_names_without_failures_go_first_and_then_networks_without(line: LineFixture) -> None:
    line.log_in("guessed", CAFE, is_right=False)
    line.check_all()
    line.checked.clear()
    line.log_in("first", "203.0.113.0/24")
    line.log_in("guessed", HOME, title="guessed again")
    line.log_in("neighbour", CAFE)
    line.log_in("alice")
    assert line.check_all() == ["first", "alice", "neighbour", "guessed again"]


def test_a_guessed_name_goes_first_from_where_it_has_logged_in_before(line: LineFixture) -> None:
    line.log_in("alice", title="at home")
    line.log_in("alice", CAFE, is_right=False, title="guess")
    line.check_all()
    line.checked.clear()
    line.log_in("first", "203.0.113.0/24")
    line.log_in("bob", "10.0.0.0/24")
    line.log_in("alice", CAFE, is_right=False, title="another guess")
    line.log_in("alice", title="at home again")
    assert line.check_all() == ["first", "at home again", "bob", "another guess"]


def test_a_name_that_is_tried_from_many_networks_at_a_time_is_taken_for_guessed(
    line: LineFixture,
) -> None:
    for number in range(3):
        line.log_in("alice", f"10.{number}.0.0/24", is_right=False, title=f"guess {number}")
    line.log_in("bob", CAFE)
    line.log_in("carol", HOME)
    line.log_in("carol", HOME, title="carol's other program")
    assert line.check_all() == [
        "first",
        "carol",
        "bob",
        "guess 0",
        "carol's other program",
        "guess 1",
        "guess 2",
    ]


def test_guesses_of_many_names_do_not_hold_up_each_other(line: LineFixture) -> None:
    for name in ("alice", "bob"):
        line.log_in(name, CAFE, is_right=False)
    line.check_all()
    line.checked.clear()
    line.log_in("first", "203.0.113.0/24")
    for number in range(3):
        line.log_in("alice", f"10.{number}.0.0/24", is_right=False, title=f"guess {number}")
    line.log_in("bob", title="bob himself")
    assert line.check_all() == ["first", "bob himself", "guess 0", "guess 1", "guess 2"]


def test_what_was_long_ago_does_not_count(line: LineFixture) -> None:
    line.log_in("bob", title="bob")
    line.log_in("alice", CAFE, is_right=False)
    line.check_all()
    line.checked.clear()
    line.clock.seconds += FAILURE_SECONDS + 1
    line.log_in("first", "203.0.113.0/24")
    line.log_in("alice", CAFE, title="alice herself")
    line.log_in("carol", "10.0.0.0/24")
    assert line.check_all() == ["first", "carol", "alice herself"]
    line.clock.seconds += SUCCESS_SECONDS
    line.log_in("bob", CAFE, is_right=False)
    line.check_all()
    line.checked.clear()
    line.log_in("first", "203.0.113.0/24")
    line.log_in("bob", title="bob again")
    line.log_in("dora", "10.0.1.0/24")
    assert line.check_all() == ["first", "dora", "bob again"]


def test_peers_on_this_host_are_many_people(line: LineFixture) -> None:
    line.log_in("alice", "", is_right=False)
    line.check_all()
    line.checked.clear()
    line.log_in("first", "203.0.113.0/24")
    line.log_in("bob", "")
    line.log_in("bob", "", title="bob twice")
    line.log_in("carol", "")
    assert line.check_all() == ["first", "carol", "bob", "bob twice"]


def test_names_that_nobody_has_cost_nothing_where_others_wait(line: LineFixture) -> None:
    line.log_in("alice")
    for number in range(50):
        line.log_in(f"nobody{number}", f"10.{number}.0.0/24", is_known=False, is_right=False)
    line.check_one()
    assert line.answers == {"first": True}  # nobody can see by the time that a name is not known
    line.check_one()
    assert line.checked == ["first", "alice"]
    assert len(line.answers) == 52
    assert line.answers["nobody7"] is False


def test_names_that_nobody_has_take_as_long_as_others_where_nobody_waits() -> None:
    fixture = LineFixture()
    fixture.log_in("nobody", is_known=False, is_right=False)
    assert fixture.check_all() == ["nobody"]
    assert fixture.answers == {"nobody": False}


def test_those_who_have_gone_wait_until_all_others_had_their_turn(line: LineFixture) -> None:
    line.log_in("gone", gone=True)
    line.log_in("alice")
    line.log_in("bob", CAFE)
    assert line.check_all() == ["first", "bob", "alice", "gone"]


def test_who_is_many_gives_way_when_too_many_wait() -> None:
    fixture = LineFixture(waiting=3)
    fixture.log_in("first")
    for number in range(3):
        fixture.log_in(f"crowd{number}", CAFE)
    fixture.log_in("alice")
    assert fixture.has_given_way("crowd2")
    fixture.log_in("crowd3", CAFE)
    assert fixture.has_given_way("crowd3")
    fixture.log_in("bob", "10.0.0.0/24")
    fixture.log_in("carol", "10.0.1.0/24")
    assert fixture.has_given_way("crowd1")
    assert fixture.has_given_way("crowd0")  # each has one, and its turn was farthest away
    assert fixture.check_all() == ["first", "carol", "bob", "alice"]


def test_who_has_failed_gives_way_to_who_has_not() -> None:
    fixture = LineFixture(waiting=1)
    fixture.log_in("guessed", CAFE, is_right=False)
    fixture.check_all()
    fixture.log_in("first")
    fixture.log_in("guessed", "10.0.0.0/24", title="again")
    fixture.log_in("alice")
    assert fixture.has_given_way("again")
    fixture.log_in("guessed", "10.0.0.0/24", title="once more")
    assert fixture.has_given_way("once more")
    assert fixture.check_all()[1:] == ["first", "alice"]


def test_a_check_that_fails_is_no_failure_of_the_name_and_others_go_on(line: LineFixture) -> None:
    async def broken(work: Callable[[], bool]) -> bool:
        raise Unavailable("no thread")

    line.log_in("nobody", is_known=False)
    line.log_in("alice")
    line.threads.run = broken  # type: ignore[assignment, method-assign]
    line.check_one()
    assert line.has_given_way("alice")
    assert line.answers["nobody"] is False
    assert not line.line._history._failures.has(("alice",), line.clock.seconds)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_queue_order, "MAX_KNOWN", 10)
    fixture = LineFixture()
    for number in range(50):
        fixture.log_in(f"name{number}", f"10.{number}.0.0/24", is_right=number % 2 == 0)
        fixture.check_all()
    history = fixture.line._history
    assert len(history._failures._seen) == len(history._successes._seen) == 10


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from("xyz"),
            st.booleans(),
            st.booleans(),
            st.booleans(),
        ),
        max_size=60,
    ),
    st.integers(1, 5),
)
def test_every_login_has_one_answer(
    logins: list[tuple[str, str, bool, bool, bool]], waiting: int
) -> None:
    fixture = LineFixture(most=2, waiting=waiting)
    for number, (name, network, is_right, is_known, gone) in enumerate(logins):
        fixture.log_in(
            name,
            network,
            is_right=is_right and is_known,
            is_known=is_known,
            gone=gone,
            title=str(number),
        )
        if number % 3 == 0 and fixture.threads.begun:
            fixture.check_one()
    fixture.check_all()
    assert len(fixture.answers) == len(logins)
    for number, (_, _, is_right, is_known, _) in enumerate(logins):
        title = str(number)
        assert fixture.answers[title] is (is_right and is_known) or fixture.has_given_way(title)
