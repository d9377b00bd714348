"""Asking the DNS: each question once, however many wait for its answer, and in fair turns."""

from collections.abc import Awaitable
from typing import Any, Protocol

import dns.name
from twisted.internet.defer import Deferred, fail

from twisted_mail.interfaces import Clock
from twisted_mail.interfaces.resolver import DNS_LISTS
from twisted_mail.mail.dns import DnsAnswer
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.net.dns.answer_cache import AnswerCache
from twisted_mail.net.dns.question_queue import BUSY, MAX_QUERIES, Key, Question, QuestionQueue
from twisted_mail.net.dns.silent_zones import SilentZones, zone_of
from twisted_mail.net.dns.stub_resolver import NO_ANSWER, DnsReply


class QueryDns(Protocol):
    """Asks one question, as ``StubResolver.ask`` does."""

    def __call__(self, name: dns.name.Name, kind: str) -> Awaitable[DnsReply]:
        """Return the reply. Raises Unavailable."""


class DnsQuestions:
    """All questions of a process; ``ask`` asks one within its own time limit, ``most`` at a time."""

    def __init__(self, ask: QueryDns, clock: Clock, most: int = MAX_QUERIES) -> None:
        self._ask = ask
        self._clock = clock
        self._cache = AnswerCache(clock)
        self._silent = SilentZones(clock)
        self._queue = QuestionQueue(most)
        self._open: dict[Key, Question] = {}
        self._is_beginning = False

    async def answer(self, name: dns.name.Name, kind: str, asker: str) -> DnsAnswer[Any]:
        """Return an answer that is known, or the one to come. Raises Unavailable.

        Cancelling it does not affect others that wait for it.
        """
        key = name.canonicalize(), kind
        known = self._cache.find(key)
        return await self._wait(key, asker) if known is None else known

    def _wait(self, key: Key, asker: str) -> Deferred[DnsAnswer[Any]]:
        question = self._open.get(key) or Question(key)
        if not question.is_begun and asker not in question.askers:
            # One that waits in another's queue waits in ours too: whoever's turn comes first.
            for removed in self._queue.add(question, asker):
                self._conclude(removed, fail(Unavailable(BUSY)))
        self._open[key] = question
        waiting: Deferred[DnsAnswer[Any]] = Deferred()
        question.waiting.append(waiting)
        self._begin()
        return waiting

    def _begin(self) -> None:
        """Begin the questions whose turn it is; those that end at once are gone through in one loop."""
        if self._is_beginning:
            return
        self._is_beginning = True
        try:
            while (turn := self._queue.next()) is not None:
                self._begin_one(*turn)
        finally:
            self._is_beginning = False

    def _begin_one(self, question: Question, asker: str) -> None:
        if not question.is_wanted:  # those who asked have gone
            del self._open[question.key]
            self._queue.end(asker)
            return
        asking = Deferred.fromCoroutine(self._question(question.key, asker))
        asking.addBoth(self._ended, asker)
        self._conclude(question, asking)

    def _ended(self, result: Any, asker: str) -> Any:
        self._queue.end(asker)
        return result

    def _conclude(self, question: Question, asking: Deferred[DnsAnswer[Any]]) -> None:
        """Give all who wait the result, once it is there; then it is the turn of others."""
        asking.addBoth(self._answer_all, question)

    def _answer_all(self, result: Any, question: Question) -> None:
        self._open.pop(question.key, None)
        for waiting in question.waiting:
            if not waiting.called:
                waiting.callback(result)  # a Failure here becomes an errback
        self._begin()

    async def _question(self, key: Key, asker: str) -> DnsAnswer[Any]:
        reply = await (self._ask(*key) if asker == DNS_LISTS else self._ask_zone(*key))
        answer: DnsAnswer[Any] = DnsAnswer(
            reply.values, reply.is_authentic, reply.exists, reply.canonical
        )
        self._cache.keep(key, answer, reply.seconds)
        return answer

    async def _ask_zone(self, name: dns.name.Name, kind: str) -> DnsReply:
        """Ask, unless the zone was silent; lists have a share of their own, and no need of that."""
        zone = zone_of(name)
        if not self._silent.begin(zone):
            raise Unavailable(NO_ANSWER)
        began, has_failed = self._clock.monotonic(), True
        try:
            reply = await self._ask(name, kind)
            has_failed = False
        finally:
            self._silent.end(zone, self._clock.monotonic() - began, has_failed)
        return reply
