"""One port for IPv4 and IPv6."""

import errno
import os
import socket
from typing import Any

import pytest
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory

from twisted_mail.net.server import all_interfaces
from twisted_mail.net.server.all_interfaces import AllInterfacesEndpoint, bind_both

FACTORY = Factory()


class Ports:
    """A reactor that notes what is listened on."""

    def __init__(self) -> None:
        self.adopted: list[tuple[str, int]] = []
        self.ipv4: list[tuple[int, int]] = []

    def adoptStreamPort(self, descriptor: int, family: int, factory: Factory) -> str:
        assert factory is FACTORY
        copy = socket.fromfd(descriptor, family, socket.SOCK_STREAM)
        with copy:
            assert copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            assert not os.get_blocking(descriptor)
            self.adopted.append(copy.getsockname()[:2])
        return "port"

    def listenTCP(self, port: int, factory: Factory, backlog: int) -> str:
        assert factory is FACTORY
        self.ipv4.append((port, backlog))
        return "port"


def without_ipv6(number: int) -> Any:
    """Return what stands for ``socket.socket`` on a host without IPv6."""

    class Socket(socket.socket):
        def __init__(self, family: int = -1, *args: Any) -> None:
            if number == errno.EAFNOSUPPORT:
                raise OSError(number, "Address family not supported by protocol")
            super().__init__(socket.AF_INET, *args)

        def setsockopt(self, *args: Any) -> None:
            pass

        def bind(self, address: Any) -> None:
            raise OSError(number, "no such address")

    return Socket


def reached(port: int, host: str) -> str:
    """Return the address under which a server sees a client that connects to a host."""
    with bind_both(port) or pytest.skip("this host has no IPv6") as server:
        server.listen()
        with socket.create_connection((host, server.getsockname()[1]), 5):
            accepted, address = server.accept()
            accepted.close()
            return str(address[0])


def test_both_kinds_of_clients_reach_one_port() -> None:
    assert reached(0, "127.0.0.1") == "::ffff:127.0.0.1"
    assert reached(0, "::1") == "::1"


def test_a_listener_takes_the_port_of_both() -> None:
    ports = Ports()
    assert AllInterfacesEndpoint(ports, 0, 50).listen(FACTORY).result == "port"  # type: ignore[arg-type]
    assert [host for host, _ in ports.adopted] == ["::"] or ports.ipv4


@pytest.mark.parametrize("number", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
def test_a_host_without_ipv6_serves_ipv4(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(all_interfaces.socket, "socket", without_ipv6(number))
    ports = Ports()
    AllInterfacesEndpoint(ports, 25, 7).listen(FACTORY)  # type: ignore[arg-type]
    assert (ports.adopted, ports.ipv4) == ([], [(25, 7)])


def test_a_port_that_ipv4_has_already_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        failure = AllInterfacesEndpoint(Ports(), port, 50).listen(FACTORY).result  # type: ignore[arg-type]
    with pytest.raises(CannotListenError) as caught:
        failure.raiseException()
    assert caught.value.socketError.errno == errno.EADDRINUSE
