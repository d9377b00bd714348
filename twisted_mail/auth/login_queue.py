"""The line in which passwords wait to be checked, and the few checks that run at a time."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from twisted_mail.auth.login_queue_order import LoginHistory, LoginOrder, WaitingLogin
from twisted_mail.interfaces import Blocking, LoginAttempt
from twisted_mail.mail.outcome import Outcome, Unavailable

TOO_BUSY = Outcome(454, "4.7.0", "Too many logins at a time, try again later")


class SharedLoginLine:
    """Runs ``most`` checks at a time in threads; fulfils ``interfaces.LoginLine``.

    At most ``waiting`` logins wait; of more, those give way that have the least right to be next. Names
    that nobody has are answered together with the next check: they cost nothing where others wait, and
    nobody can tell them from others by the time it takes.
    """

    def __init__(
        self, blocking: Blocking, most: int, waiting: int, monotonic: Callable[[], float]
    ) -> None:
        self._blocking = blocking
        self._most = most
        self._waiting = waiting
        self._monotonic = monotonic
        self._running = 0
        self._order = LoginOrder()
        self._history = LoginHistory()

    async def check(
        self, attempt: LoginAttempt, name: str, is_known: bool, work: Callable[[], bool]
    ) -> bool:
        """Return what ``work`` does, in its turn. Raises Unavailable for one that gave way."""
        done: Deferred[bool] = Deferred()
        login = WaitingLogin(attempt, name, is_known, work, done)
        login.rank, login.key = self._history.place(login, self._monotonic())
        self._make_room(login)
        self._order.add(login)
        self._go_on()
        return await done

    def _make_room(self, login: WaitingLogin) -> None:
        if len(self._order) < self._waiting:
            return
        other = self._order.give_way(login)
        if other is None:
            raise Unavailable(TOO_BUSY)
        other.done.errback(Unavailable(TOO_BUSY))

    def _go_on(self) -> None:
        while self._running < self._most and (together := self._next()):
            self._running += 1
            Deferred.fromCoroutine(self._run(together))

    def _next(self) -> list[WaitingLogin]:
        """Take logins up to the first whose account is known."""
        together: list[WaitingLogin] = []
        while (login := self._order.next()) is not None:
            together.append(login)
            if login.is_known:
                break
        return together

    async def _run(self, together: list[WaitingLogin]) -> None:
        *unknown, last = together
        result: bool | Failure
        try:
            result = await self._blocking.run(last.work)
        except Exception:
            result = Failure()  # type: ignore[no-untyped-call]
        self._running -= 1
        for login in unknown:
            self._end(login, False)
        self._end(last, result)
        self._go_on()

    def _end(self, login: WaitingLogin, result: bool | Failure) -> None:
        """Hand over what came of a login; a failure of the check says nothing about the name."""
        if isinstance(result, bool):
            self._history.note(login, result, self._monotonic())
        login.done.callback(result)  # a Failure becomes an errback
