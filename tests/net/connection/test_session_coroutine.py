"""Tests of twisted_mail.net.connection.session_coroutine."""

import gc
import sys
import weakref
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from types import coroutine
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed

from twisted_mail.net.connection.session_coroutine import INPUT, SessionCoroutine

Script = Callable[[SessionCoroutine, list[Any]], Awaitable[None]]


@coroutine
def given() -> Generator[object, Any, Any]:
    """Wait for what is given next."""
    return (yield INPUT)


class Run:
    """A script that runs, what it noted, and how it ended."""

    def __init__(self, script: Script) -> None:
        self.noted: list[Any] = []
        self.ends = 0
        self.error: BaseException | None = None
        self.session = SessionCoroutine()

        async def run() -> None:
            await script(self.session, self.noted)

        self.session.begin(run(), self._ended)

    def _ended(self, error: BaseException | None) -> None:
        assert sys.exception() is error or error is None
        self.ends += 1
        self.error = error


async def note_three(session: SessionCoroutine, noted: list[Any]) -> None:
    for _ in range(3):
        noted.append(await given())


def test_it_gets_in_order_what_it_is_given() -> None:
    run = Run(note_three)
    for one in ("a", "b"):
        run.session.give(one)
    assert (run.noted, run.ends) == (["a", "b"], 0)
    run.session.give("c")
    assert (run.noted, run.ends, run.error) == (["a", "b", "c"], 1, None)
    assert not run.session.is_waiting


def test_what_comes_while_it_does_not_wait_for_it_is_not_given() -> None:
    answer: Deferred[str] = Deferred()

    async def script(session: SessionCoroutine, noted: list[Any]) -> None:
        noted.append(await answer)
        noted.append(await given())

    run = Run(script)
    assert not run.session.is_waiting
    run.session.give("early")
    answer.callback("answer")
    assert run.noted == ["answer"]
    assert run.session.is_waiting
    run.session.give("late")
    assert (run.noted, run.ends) == (["answer", "late"], 1)


def test_it_may_be_given_something_by_what_it_calls_itself() -> None:
    async def script(session: SessionCoroutine, noted: list[Any]) -> None:
        session.give("by itself")
        noted.append(await given())

    run = Run(script)
    run.session.give("by another")
    assert run.noted == ["by another"]


def test_a_result_that_is_there_is_not_waited_for() -> None:
    async def script(session: SessionCoroutine, noted: list[Any]) -> None:
        for number in range(10_000):  # more than a stack would hold
            noted.append(await succeed(number))

    run = Run(script)
    assert (len(run.noted), run.ends) == (10_000, 1)


def test_a_result_that_is_held_back_is_waited_for() -> None:
    answer = succeed("answer")
    answer.pause()

    async def script(session: SessionCoroutine, noted: list[Any]) -> None:
        noted.append(await answer)

    run = Run(script)
    assert run.noted == []
    answer.unpause()
    assert (run.noted, run.ends) == (["answer"], 1)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_failure_is_raised_where_it_is_awaited_and_goes_no_further(is_there: bool) -> None:
    answer: Deferred[None] = fail(ValueError("bad")) if is_there else Deferred()

    async def script(session: SessionCoroutine, noted: list[Any]) -> None:
        try:
            await answer
        except ValueError as error:
            noted.append(str(error))
        noted.append(await given())

    run = Run(script)
    if not is_there:
        answer.errback(ValueError("bad"))
    run.session.give("on")
    assert (run.noted, run.ends, run.error) == (["bad", "on"], 1, None)


def test_an_error_of_the_session_is_told_at_its_end() -> None:
    async def script(session: SessionCoroutine, noted: list[Any]) -> None:
        await given()
        raise KeyError("gone")

    run = Run(script)
    run.session.give("anything")
    assert isinstance(run.error, KeyError)
    assert run.ends == 1


class Held:
    """Something that a session holds."""


@contextmanager
def no_collector() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("fails", [False, True])
def test_what_an_ended_session_held_is_free_without_the_collector(fails: bool) -> None:
    held = Held()
    is_there = weakref.ref(held)

    async def script(session: SessionCoroutine, noted: list[Any]) -> None:
        mine = noted.pop()
        await given()
        if fails:
            raise ValueError(str(mine))

    async def run(session: SessionCoroutine, noted: list[Any]) -> None:
        await script(session, noted)

    noted = [held]
    del held
    session = SessionCoroutine()
    session.begin(run(session, noted), lambda error: None)
    with no_collector():
        session.give("the last")
        assert is_there() is None


class Owner(Held):
    """What runs a session, as a connection does."""

    def __init__(self, script: Script) -> None:
        self.session = SessionCoroutine()
        self.session.begin(self.run(script), self.ended)

    async def run(self, script: Script) -> None:
        await script(self.session, [])

    def ended(self, error: BaseException | None) -> None: ...


def test_whoever_ran_it_is_free_as_well() -> None:
    owner = Owner(note_three)
    session, is_there = owner.session, weakref.ref(owner)
    del owner
    with no_collector():
        for one in range(3):
            assert is_there() is not None
            session.give(one)
        assert is_there() is None
