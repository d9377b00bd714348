"""A session's coroutine, resumed by its connection itself.

While a session waits for its client, nothing stands between the octets that come and the coroutine. A
Deferred for each read, and the one that makes a coroutine a Deferred, cost more than all else that an
echo of a line costs. What else a session waits for is a Deferred, as everywhere in Twisted.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.python.failure import Failure

Ended = Callable[[BaseException | None], None]


INPUT = object()  # what a coroutine yields that waits for its client


def _nothing(error: BaseException | None) -> None:
    """Do nothing: the session has ended, or has not begun."""


class SessionCoroutine:
    """The coroutine of one session.

    ``is_waiting`` is true while it waits for ``INPUT``, and only then can it be given anything.
    """

    __slots__ = ("_coroutine", "_ended", "is_waiting")

    def __init__(self) -> None:
        self._coroutine: Coroutine[Any, Any, None] | None = None
        self._ended: Ended = _nothing
        self.is_waiting = False

    def begin(self, coroutine: Coroutine[Any, Any, None], ended: Ended) -> None:
        """Run the coroutine until it waits for the first time.

        ``ended`` is called when it has returned; or with the exception that it raised, while this is
        being handled.
        """
        self._coroutine, self._ended = coroutine, ended
        self._advance(coroutine.send, None)

    def give(self, came: object) -> None:
        """Resume the coroutine with what it awaits, if it awaits input, until it waits again."""
        if self.is_waiting and self._coroutine is not None:
            self.is_waiting = False
            self._advance(self._coroutine.send, came)

    def _advance(self, resume: Callable[[Any], Any], came: object) -> None:
        try:
            awaited = resume(came)
        except StopIteration:
            self._end(None)
        except BaseException as error:
            self._end(error)
        else:
            if awaited is INPUT:
                self.is_waiting = True
            else:  # a Deferred without a result
                awaited.addBoth(self._go_on)

    def _end(self, error: BaseException | None) -> None:
        """Let go of everything: the connection is to be freed without the collector."""
        ended, self._coroutine, self._ended = self._ended, None, _nothing
        ended(error)

    def _go_on(self, result: object) -> None:
        assert self._coroutine is not None
        if isinstance(result, Failure):
            self._advance(self._coroutine.throw, result.value)
        else:
            self._advance(self._coroutine.send, result)
