"""Whose question goes to the DNS next: shares for those who ask, so that nobody takes all.

Questions to the DNS lists of the configuration have a share of their own. The rest is for everything
else, where those who ask (networks of clients) take turns, and each has few questions under way.
"""

from collections import Counter, OrderedDict, deque
from typing import Any

import dns.name
from twisted.internet.defer import Deferred

from twisted_mail.interfaces.resolver import DNS_LISTS
from twisted_mail.mail.dns import DnsAnswer
from twisted_mail.mail.outcome import Outcome, Unavailable

MAX_QUERIES = 100  # questions that run at a time: each takes a descriptor
MAX_WAITING = 1000  # questions that wait for their turn, and as many again to DNS lists
MAX_WAITING_OF_ONE = 100  # ... of one network

BUSY = Outcome(451, "4.3.2", "Too many questions to the DNS; try again later")

Key = tuple[dns.name.Name, str]


class Question:
    """A question, and all who wait for its answer, each with a Deferred in ``waiting``.

    ``askers`` are those in whose queues it waits. It ``is_begun`` once its first turn has come.
    """

    __slots__ = ("askers", "is_begun", "key", "waiting")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.waiting: list[Deferred[DnsAnswer[Any]]] = []
        self.askers: set[str] = set()
        self.is_begun = False

    @property
    def is_wanted(self) -> bool:
        """Return whether anybody still waits for the answer."""
        return any(not one.called for one in self.waiting)


class QuestionQueue:
    """The questions that wait, by who asks: ``DNS_LISTS``, a network, or empty for the server itself.

    Of ``most`` that run at a time, those to DNS lists are three quarters at most, and all others too, so
    that each have a quarter that the others cannot take; one network has a tenth.
    """

    def __init__(self, most: int = MAX_QUERIES) -> None:
        self._most = most
        self._most_of_kind = most - most // 4
        self._most_of_one = max(1, most // 10)
        # Whose turn is next is first.
        self._waiting: OrderedDict[str, deque[Question]] = OrderedDict()
        self._running: Counter[str] = Counter()

    def add(self, question: Question, asker: str) -> list[Question]:
        """Let a question wait for its turn; return those that wait no more, to make room for it.

        Raises Unavailable when too many are waiting.
        """
        removed = self._make_room(asker)
        self._waiting.setdefault(asker, deque()).append(question)
        question.askers.add(asker)
        return removed

    def _make_room(self, asker: str) -> list[Question]:
        """Take a question from who has most of them, if all places are taken."""
        own = len(self._waiting.get(asker, ()))
        if asker == DNS_LISTS:
            if own >= MAX_WAITING:
                raise Unavailable(BUSY)
            return []
        others = {one: len(queue) for one, queue in self._waiting.items() if one != DNS_LISTS}
        if asker and own >= MAX_WAITING_OF_ONE:
            raise Unavailable(BUSY)
        if sum(others.values()) < MAX_WAITING:
            return []
        greedy = max(others, key=lambda one: others[one])
        if others[greedy] <= own + 1:
            raise Unavailable(BUSY)
        question = self._waiting[greedy].pop()
        question.askers.discard(greedy)
        return [] if question.askers or question.is_begun else [question]

    def next(self) -> tuple[Question, str] | None:
        """Return the question whose turn it is, and whose turn that is; it runs until ``end``."""
        for asker in sorted(self._waiting, key=lambda one: one != DNS_LISTS):
            queue = self._waiting[asker]
            while queue and queue[0].is_begun:  # in another's turn
                queue.popleft()
            if not queue:
                del self._waiting[asker]
            elif self._may_run(asker):
                question = queue.popleft()
                question.is_begun = True
                self._running[asker] += 1
                self._waiting.move_to_end(asker)
                return question, asker
        return None

    def _may_run(self, asker: str) -> bool:
        running, to_lists = self._running.total(), self._running[DNS_LISTS]
        of_kind = to_lists if asker == DNS_LISTS else running - to_lists
        if running >= self._most or of_kind >= self._most_of_kind:
            return False
        is_network = asker not in (DNS_LISTS, "")
        return not is_network or self._running[asker] < self._most_of_one

    def end(self, asker: str) -> None:
        """Note that a question that ran in this one's turn is over."""
        self._running[asker] -= 1
        if self._running[asker] <= 0:
            del self._running[asker]
