"""Whose password is checked next, when there are more to check than time for it.

Passwords are slow to check, so strangers who guess can keep all that checks them busy. Who logs in with
a right password is let through by what is known of names and networks, whether the name exists or not:

| rank | who |
| --- | --- |
| 0 | a name that has logged in from this network; or one without failures, where others have |
| 1 | a name without failures, from a network that is not known |
| 2 | a name without failures, from a network with some |
| 3 | a name with failures, or with a login from another network that has no answer yet |
| 4 | a client that will hear no answer: it has closed its side |

In each rank networks have their turns one after the other; where failures of the name count, names have.
Who is new has the first turn: when more come than can be checked, some are checked at once, and not all
when they have given up waiting. At a turn the oldest login of the network or name is checked.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twisted_mail.interfaces import LoginAttempt

MAX_KNOWN = 10_000  # names, networks, and pairs of both that are remembered; of more the oldest go
FAILURE_SECONDS = 900.0  # for which a failure counts
SUCCESS_SECONDS = 30 * 86_400.0  # for which a network is known as one of a name's
RANKS = 5
_GONE = RANKS - 1


@dataclass(slots=True, eq=False)
class WaitingLogin:
    """One password that waits to be checked: ``work`` checks it, and ``done`` gets what comes of it.

    Where the account is not known there is nothing to check, but the answer comes as late as if there
    were.
    """

    attempt: LoginAttempt
    name: str
    is_known: bool
    work: Callable[[], bool]
    done: Any = None
    rank: int = 0
    key: str = ""


class _Times:
    """When each of many was seen last: the oldest are forgotten."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._seen: OrderedDict[object, float] = OrderedDict()

    def note(self, key: object, now: float) -> None:
        self._seen[key] = now
        self._seen.move_to_end(key)
        if len(self._seen) > MAX_KNOWN:
            self._seen.popitem(last=False)

    def has(self, key: object, now: float) -> bool:
        seen = self._seen.get(key)
        return seen is not None and now - seen < self._seconds

    def forget(self, key: object) -> None:
        self._seen.pop(key, None)


class LoginHistory:
    """Which names and networks have failed, and which have logged in."""

    def __init__(self) -> None:
        self._failures = _Times(FAILURE_SECONDS)
        self._successes = _Times(SUCCESS_SECONDS)
        self._tried_from: OrderedDict[str, str] = OrderedDict()  # networks of names without answers

    def note(self, login: WaitingLogin, is_right: bool, now: float) -> None:
        """Remember what came of a login. A peer on this host is many people, and no network."""
        name, network = login.name, login.attempt.network
        self._tried_from.pop(name, None)
        if is_right:
            self._successes.note((name, network), now)
            self._successes.note(network, now)
            self._failures.forget((name,))
            return
        self._failures.note((name,), now)
        if network:
            self._failures.note(network, now)

    def _try(self, name: str, network: str) -> str:
        """Note a try; return from where a name was tried first of those tries that have no answer."""
        first = self._tried_from.setdefault(name, network)
        if len(self._tried_from) > MAX_KNOWN:
            self._tried_from.popitem(last=False)
        return first

    def place(self, login: WaitingLogin, now: float) -> tuple[int, str]:
        """Return the rank of a login, and with whom it shares turns."""
        name, network = login.name, login.attempt.network
        if self._successes.has((name, network), now):
            return 0, network or name
        if self._failures.has((name,), now) or self._try(name, network) != network:
            return 3, name
        if network and self._failures.has(network, now):
            return 2, network
        return int(not self._successes.has(network, now)), network or name


@dataclass(slots=True)
class LoginOrder:
    """The logins that wait: those of one key in their order, keys in turns, ranks one after the other."""

    _ranks: tuple[OrderedDict[str, deque[WaitingLogin]], ...] = field(
        default_factory=lambda: tuple(OrderedDict() for _ in range(RANKS))
    )
    _number: int = 0

    def __len__(self) -> int:
        """Return how many wait."""
        return self._number

    def add(self, login: WaitingLogin) -> None:
        """Put a login, whose rank and key are known, at the end of its line."""
        rank = self._ranks[login.rank]
        if login.key in rank:
            rank[login.key].append(login)
        else:
            rank[login.key] = deque([login])
            rank.move_to_end(login.key, last=login.rank == _GONE)
        self._number += 1

    def next(self) -> WaitingLogin | None:
        """Take the next login; one whose client has gone waits until the others have had their turns."""
        while self._number:
            login = self._take_first()
            if login.rank == _GONE or not login.attempt.has_hung_up():
                return login
            login.rank = _GONE
            self.add(login)
        return None

    def _take_first(self) -> WaitingLogin:
        rank = next(one for one in self._ranks if one)
        key, line = next(iter(rank.items()))
        login = line.popleft()
        if line:
            rank.move_to_end(key)
        else:
            del rank[key]
        self._number -= 1
        return login

    def give_way(self, login: WaitingLogin) -> WaitingLogin | None:
        """Take out the login that is to give way to another; None when that one has the least right.

        It is the last of those who have the most, or of those whose turn is farthest away.
        """
        number = max(number for number, rank in enumerate(self._ranks) if rank)
        rank = self._ranks[number]
        key = max(reversed(rank), key=lambda one: len(rank[one]))
        has_more = number == login.rank and len(rank.get(login.key, ())) >= len(rank[key])
        if number < login.rank or has_more:
            return None
        last = rank[key].pop()
        if not rank[key]:
            del rank[key]
        self._number -= 1
        return last
