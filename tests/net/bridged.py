"""Two ends of a bridge without sockets, for tests of what crosses it."""

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport

from twisted_mail.net.process.process_bridge import Bridge
from twisted_mail.testing.recorded_log import ListJournal


class Pair:
    """Two ends of a bridge; what they send is carried when ``carry`` is called.

    ``services`` are those of the far end.
    """

    def __init__(self, services: Mapping[str, object]) -> None:
        self.journal = ListJournal()
        self.lost: list[str] = []
        self.near = Bridge({}, self.journal)
        self.near.ended.addCallback(lambda _: self.lost.append("near"))
        self.far = Bridge(services, self.journal)
        for end in (self.near, self.far):
            end.makeConnection(StringTransport())

    def carry(self, size: int = 1 << 20) -> None:
        """Carry what was sent, in pieces of a size, until both are silent."""
        ends = [(self.near, self.far), (self.far, self.near)]
        while any(end.transport.value() for end, _ in ends):
            for end, other in ends:
                data = end.transport.value()
                end.transport.clear()
                for at in range(0, len(data), size):
                    other.dataReceived(data[at : at + size])

    def begin(self, coroutine: Any) -> list[Any]:
        """Begin something near that asks; return a list to which its result or failure is added."""
        answers: list[Any] = []
        Deferred.fromCoroutine(coroutine).addBoth(answers.append)
        return answers

    def finish(self, coroutine: Any) -> Any:
        """Do something near that asks, and return what came of it."""
        answers = self.begin(coroutine)
        self.carry()
        [answer] = answers
        if hasattr(answer, "raiseException"):
            answer.raiseException()
        return answer
