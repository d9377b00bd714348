"""Threads: real ones, with a reactor that is only a queue."""

import queue
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from twisted_mail.mail.outcome import Unavailable
from twisted_mail.net.process.blocking import ThreadBlocking
from twisted_mail.net.process.lane import Turn

LONG_TURNS = 2


class QueueReactor:
    """Takes calls from threads; the test makes them."""

    def __init__(self) -> None:
        self.calls: queue.Queue[tuple[Callable[..., None], tuple[Any, ...]]] = queue.Queue()

    def callFromThread(self, call: Callable[..., None], *args: Any) -> None:
        self.calls.put((call, args))

    def until(self, results: list[Any], count: int) -> list[Any]:
        while len(results) < count:
            call, args = self.calls.get(timeout=10)
            call(*args)
        return results


@pytest.fixture
def reactor() -> QueueReactor:
    return QueueReactor()


@pytest.fixture
def blocking(reactor: QueueReactor) -> Iterator[ThreadBlocking]:
    threads: Any = reactor
    pool = ThreadBlocking(threads, "test", 4, waiting=50, long_turns=LONG_TURNS)
    pool.start()
    yield pool
    pool.stop()


def begin(coroutine: Coroutine[Any, Any, Any], results: list[Any]) -> None:
    Deferred.fromCoroutine(coroutine).addBoth(results.append)


def test_work_is_done_in_another_thread(blocking: ThreadBlocking, reactor: QueueReactor) -> None:
    results: list[Any] = []
    begin(blocking.run(threading.get_ident), results)
    assert reactor.until(results, 1)[0] != threading.get_ident()


def test_what_work_raises_is_raised(blocking: ThreadBlocking, reactor: QueueReactor) -> None:
    results: list[Any] = []
    begin(blocking.run(int, "not a number"), results)
    assert isinstance(reactor.until(results, 1)[0].value, ValueError)


def test_a_lane_keeps_order_and_does_one_thing_at_a_time(
    blocking: ThreadBlocking, reactor: QueueReactor
) -> None:
    lane, busy, order, results = blocking.lane(), threading.Lock(), [], []

    def work(number: int) -> int:
        assert busy.acquire(blocking=False)
        order.append(number)
        busy.release()
        return number

    for number in range(40):
        begin(lane.run(work, number), results)
    assert reactor.until(results, 40) == list(range(40)) == order


def test_one_failure_in_a_lane_does_not_stop_the_rest(
    blocking: ThreadBlocking, reactor: QueueReactor
) -> None:
    lane, results = blocking.lane(), []
    begin(lane.run(int, "no"), results)
    begin(lane.run(int, "7"), results)
    assert isinstance(reactor.until(results, 2)[0].value, ValueError)
    assert results[1] == 7


def test_too_much_waiting_work_is_unavailable(
    blocking: ThreadBlocking, reactor: QueueReactor
) -> None:
    gate, results = threading.Event(), []
    for _ in range(50):
        begin(blocking.run(gate.wait, 10), results)
    begin(blocking.run(int, "1"), results)
    assert isinstance(results[0].value, Unavailable)
    gate.set()
    assert reactor.until(results, 51)[1:] == [True] * 50


def test_a_lane_of_an_overfull_pool_is_unavailable_and_recovers(
    blocking: ThreadBlocking, reactor: QueueReactor
) -> None:
    gate, results, lane = threading.Event(), [], blocking.lane()
    for _ in range(50):
        begin(blocking.run(gate.wait, 10), results)
    begin(lane.run(int, "1"), results)
    assert isinstance(results[0].value, Unavailable)
    gate.set()
    reactor.until(results, 51)
    begin(lane.run(int, "2"), results)
    assert reactor.until(results, 52)[51] == 2


def test_work_given_before_the_start_is_done_after_it(reactor: QueueReactor) -> None:
    threads: Any = reactor
    pool, results = ThreadBlocking(threads, "test", 2), []
    for number in range(3):
        begin(pool.run(int, str(number)), results)
    assert reactor.calls.empty()
    pool.start()
    assert sorted(reactor.until(results, 3)) == [0, 1, 2]
    pool.stop()


def test_there_are_no_more_threads_than_work_and_than_allowed(
    blocking: ThreadBlocking, reactor: QueueReactor
) -> None:
    def names() -> set[str]:
        return {thread.name for thread in threading.enumerate() if thread.name.startswith("test-")}

    gate, results = threading.Event(), []
    begin(blocking.run(gate.wait, 10), results)
    assert names() == {"test-1"}
    for _ in range(9):
        begin(blocking.run(gate.wait, 10), results)
    assert names() == {"test-1", "test-2", "test-3", "test-4"}
    gate.set()
    reactor.until(results, 10)


def test_results_that_come_together_cost_one_call_of_the_reactor(
    blocking: ThreadBlocking, reactor: QueueReactor
) -> None:
    results: list[Any] = []
    for number in range(20):
        begin(blocking.run(int, str(number)), results)
    blocking.stop()  # all is done, and the reactor has not looked yet
    assert reactor.calls.qsize() == 1
    assert sorted(reactor.until(results, 20)) == list(range(20))


def test_each_thread_begins_with_its_call(reactor: QueueReactor) -> None:
    threads: Any = reactor
    began: list[int] = []
    pool = ThreadBlocking(threads, "test", 1, begin=lambda: began.append(threading.get_ident()))
    results: list[Any] = []
    begin(pool.run(threading.get_ident), results)
    begin(pool.run(threading.get_ident), results)
    pool.start()
    assert reactor.until(results, 2) == began * 2
    pool.stop()


class LongWork:
    """Long turns that a gate holds up; ``order`` is in which they began."""

    def __init__(self, blocking: ThreadBlocking) -> None:
        self.gate = threading.Event()
        self.begun: queue.Queue[int] = queue.Queue()
        self.results: list[Any] = []
        self._blocking = blocking

    def submit(self, number: int) -> None:
        result: Deferred[Any] = Deferred()
        result.addBoth(self.results.append)
        self._blocking.submit(Turn([(result, lambda: self._wait(number))], is_long=True))

    def _wait(self, number: int) -> int:
        self.begun.put(number)
        assert self.gate.wait(10)
        return number


def test_few_long_turns_run_together_and_short_work_passes_them(
    blocking: ThreadBlocking, reactor: QueueReactor
) -> None:
    long, results = LongWork(blocking), []
    for number in range(20):
        long.submit(number)
    for number in range(10):
        begin(blocking.run(int, str(number)), results)
    reactor.until(results, 10)
    assert sorted(long.begun.get(timeout=10) for _ in range(LONG_TURNS)) == [0, 1]
    assert long.begun.empty()
    assert not long.results
    long.gate.set()
    assert sorted(reactor.until(long.results, 20)) == list(range(20))


def test_long_turns_have_their_turn_in_order(
    blocking: ThreadBlocking, reactor: QueueReactor
) -> None:
    long = LongWork(blocking)
    for number in range(20):
        long.submit(number)
    long.gate.set()
    reactor.until(long.results, 20)
    began = [long.begun.get(timeout=10) for _ in range(20)]
    # None begins before its turn; one whose thread is stopped just then may note it later.
    assert all(number - place < LONG_TURNS for place, number in enumerate(began))


def test_long_turns_that_wait_are_done_before_the_end(reactor: QueueReactor) -> None:
    threads: Any = reactor
    pool = ThreadBlocking(threads, "test", 4, long_turns=LONG_TURNS)
    long = LongWork(pool)
    long.gate.set()
    pool.start()
    for number in range(20):
        long.submit(number)
    pool.stop()
    assert sorted(reactor.until(long.results, 20)) == list(range(20))


def test_a_stop_drops_what_was_not_begun_and_finishes_what_was(reactor: QueueReactor) -> None:
    threads: Any = reactor
    pool, results, done = ThreadBlocking(threads, "test", 1), [], []
    gate, has_begun = threading.Event(), threading.Event()

    def work(number: int) -> None:
        has_begun.set()
        gate.wait(10)
        done.append(number)

    pool.start()
    for number in range(5):
        begin(pool.run(work, number), results)
    lane = pool.lane()
    begin(lane.run(work, 5), results)
    assert has_begun.wait(10)
    [thread] = pool._threads
    assert not pool.stop(0, drops=True)
    gate.set()
    thread.join(10)
    assert done == [0]


def test_a_stop_waits_no_longer_than_it_may(reactor: QueueReactor) -> None:
    threads: Any = reactor
    pool, results = ThreadBlocking(threads, "test", 2), []
    gate = threading.Event()
    pool.start()
    for _ in range(4):
        begin(pool.run(gate.wait, 10), results)
    assert not pool.stop(0)
    gate.set()


def test_a_stop_without_dropping_does_all_that_waits(reactor: QueueReactor) -> None:
    threads: Any = reactor
    pool, results, done = ThreadBlocking(threads, "test", 1), [], []
    pool.start()
    for number in range(5):
        begin(pool.run(done.append, number), results)
    assert pool.stop(10)
    assert done == list(range(5))


def test_no_turn_is_left_lying_while_threads_fall_idle(
    blocking: ThreadBlocking, reactor: QueueReactor
) -> None:
    for number in range(1000):
        results: list[Any] = []
        for one in range(1 + number % 5):
            begin(blocking.run(int, one), results)
        assert sorted(reactor.until(results, 1 + number % 5)) == list(range(1 + number % 5))
