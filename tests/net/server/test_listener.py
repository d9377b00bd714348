"""How a listener begins, why it cannot, and how it ends beside other processes."""

import errno
import os
import socket
from typing import Any

import pytest
from twisted.internet import tcp
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock

from twisted_mail.net.server.listener import CannotListen, Listener
from twisted_mail.net.server.listening import StoppableFactory
from twisted_mail.testing.doubles import finish


class Refused:
    """An endpoint on which nobody can listen."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def listen(self, factory: object) -> Deferred[Any]:
        return fail(self.error)


def cannot(port: Any, number: int, text: str) -> CannotListenError:
    return CannotListenError("", port, OSError(number, text))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (cannot(25, errno.EADDRINUSE, "Address already in use"), "Address already in use"),
        (cannot(25, errno.EACCES, "Permission denied"), "need root or CAP_NET_BIND_SERVICE"),
        (cannot("/run/x", errno.EACCES, "Permission denied"), "smtp on x: Permission denied"),
        (ValueError("of a plugin"), "of a plugin"),
        (ValueError(), "ValueError"),
    ],
)
def test_the_reason_is_in_words(error: Exception, words: str) -> None:
    listener = Listener(0, "smtp on x", Refused(error), None)  # type: ignore[arg-type]
    with pytest.raises(CannotListen) as caught:
        finish(listener.listen())
    assert str(caught.value).startswith("cannot listen: smtp on x: ")
    assert str(caught.value).endswith(words)


class Idle(StoppableFactory):
    is_idle = True

    def shut_down(self) -> Deferred[None]:
        return succeed(None)


class Loopback:
    """An endpoint with a port of the system's, for a reactor that does nothing by itself."""

    def __init__(self, reactor: MemoryReactorClock) -> None:
        self.reactor = reactor

    def listen(self, factory: Any) -> Deferred[Any]:
        port = tcp.Port(0, factory, interface="127.0.0.1", reactor=self.reactor)
        port.startListening()
        return succeed(port)


def test_another_process_that_has_the_socket_accepts_until_it_stops_too() -> None:
    reactor = MemoryReactorClock()
    listener = Listener(0, "smtp on x", Loopback(reactor), Idle())  # type: ignore[arg-type]
    finish(listener.listen())
    descriptor, _ = listener.socket or (0, 0)
    with socket.socket(fileno=os.dup(descriptor)) as another:
        stopped = listener.stop()
        reactor.advance(0)
        assert stopped.called
        assert listener.address is None
        with pytest.raises(BlockingIOError):
            another.accept()
        with socket.create_connection(another.getsockname()):
            another.accept()[0].close()
