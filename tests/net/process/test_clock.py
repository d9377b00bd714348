import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from twisted_mail.net.process.clock import ReactorClock


def started(seconds, work):
    reactor = Clock()
    results = []
    running = Deferred.fromCoroutine(ReactorClock(reactor).within(seconds, work))
    running.addBoth(results.append)
    return reactor, running, results


async def returning(value):
    return value


async def waiting(for_):
    return await for_


def test_work_that_never_waits_costs_no_timer():
    reactor, _, results = started(5, returning("done"))
    assert results == ["done"]
    assert not reactor.getDelayedCalls()


def test_work_in_time_returns_and_leaves_no_timer():
    source = Deferred()
    reactor, _, results = started(5, waiting(source))
    reactor.advance(4)
    source.callback("done")
    assert results == ["done"]
    assert not reactor.getDelayedCalls()


def test_work_that_takes_too_long_is_cancelled():
    cancelled = []
    source = Deferred(cancelled.append)
    reactor, _, results = started(5, waiting(source))
    reactor.advance(5)
    assert cancelled == [source]
    assert results[0].check(TimeoutError)


def test_work_that_fails_raises_its_own_error():
    source = Deferred()
    reactor, _, results = started(5, waiting(source))
    source.errback(ZeroDivisionError())
    assert results[0].check(ZeroDivisionError)
    assert not reactor.getDelayedCalls()


def test_a_cancellation_from_outside_is_no_time_out():
    source = Deferred()
    _, running, results = started(5, waiting(source))
    running.cancel()
    assert results[0].check(CancelledError)
    with pytest.raises(CancelledError):
        results[0].raiseException()
