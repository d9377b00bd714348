"""A factory that is replaced while connections are open."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.tcp import Port
from twisted.internet.testing import MemoryReactor

from twisted_mail.net.server.listening import StoppableFactory
from twisted_mail.net.server.replaceable import ReplaceableFactory


class Counted(StoppableFactory):
    def __init__(self, name: str) -> None:
        self.name, self.open, self.is_over = name, 0, Deferred[None]()

    def buildProtocol(self, addr: Any) -> Any:
        self.open += 1
        return self.name

    @property
    def is_idle(self) -> bool:
        return not self.open

    def shut_down(self) -> Deferred[None]:
        return self.is_over


def test_connections_go_to_the_newest_and_all_are_ended() -> None:
    one, two = Counted("one"), Counted("two")
    factory = ReplaceableFactory(one)
    assert factory.buildProtocol(None) == "one"
    factory.replace(two)
    assert factory.buildProtocol(None) == "two"
    assert not factory.is_idle
    over: list[Any] = []
    factory.shut_down().addCallback(over.append)
    two.is_over.callback(None)
    assert not over
    one.is_over.callback(None)
    assert over


def test_a_factory_without_connections_is_forgotten() -> None:
    one, two, three = Counted("one"), Counted("two"), Counted("three")
    factory = ReplaceableFactory(one)
    factory.replace(two)
    factory.buildProtocol(None)
    factory.replace(three)
    assert factory._earlier == [two]
    two.open = 0
    assert factory.is_idle


def test_the_log_names_no_class() -> None:
    port = Port(
        0, ReplaceableFactory(Counted("one")), interface="127.0.0.1", reactor=MemoryReactor()
    )
    assert port._getLogPrefix(port.factory) == "Listener"
