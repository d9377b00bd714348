"""The reactor, run for one question: for commands that ask what only a server can ask otherwise."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")


def run_in_reactor(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in the reactor, once in a process. Raises what it raises, or KeyboardInterrupt."""
    from twisted.internet import reactor as found

    reactor: Any = found
    results: list[Any] = []

    def begin() -> None:
        Deferred.fromCoroutine(coroutine).addBoth(end)

    def end(result: object) -> None:
        results.append(result)
        reactor.stop()

    reactor.callWhenRunning(begin)
    reactor.run()
    if not results:
        raise KeyboardInterrupt
    if isinstance(results[0], Failure):
        results[0].raiseException()
    found_result: T = results[0]
    return found_result
