"""The DNS of the demonstration."""

import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from twisted_mail.control.setup.demo.folders import FIRST, SECOND
from twisted_mail.control.setup.demo.name_server import DemoNameServer, records


class Transport:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def write(self, data: bytes, addr: object) -> None:
        self.sent.append(data)


@pytest.fixture
def server() -> DemoNameServer:
    made = DemoNameServer(records(FIRST, SECOND))
    made.transport = Transport()  # type: ignore[assignment]
    return made


def ask(server: DemoNameServer, name: str, kind: str) -> dns.message.Message:
    server.datagramReceived(dns.message.make_query(name, kind).to_wire(), ("127.0.0.1", 5))
    return dns.message.from_wire(server.transport.sent.pop())  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("example.net", "MX", "10 mail.example.net."),
        ("EXAMPLE.org", "MX", "10 mail.example.org."),
        ("mail.example.net", "A", "127.0.0.2"),
        ("mail.example.org", "A", "127.0.0.1"),
    ],
)
def test_both_domains_have_a_host(
    server: DemoNameServer, name: str, kind: str, value: str
) -> None:
    [rrset] = ask(server, name, kind).answer
    assert rrset.rdtype == dns.rdatatype.from_text(kind)
    assert [str(one).lower() for one in rrset] == [value]


def test_no_other_name_exists(server: DemoNameServer) -> None:
    assert ask(server, "example.com", "MX").rcode() == dns.rcode.NXDOMAIN


def test_a_host_has_no_address_of_the_other_family(server: DemoNameServer) -> None:
    answer = ask(server, "mail.example.net", "AAAA")
    assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])


@pytest.mark.parametrize("datagram", [b"", b"garbage", bytes(12), bytes(600)])
def test_what_asks_nothing_gets_no_answer(server: DemoNameServer, datagram: bytes) -> None:
    server.datagramReceived(datagram, ("127.0.0.1", 5))
    assert server.transport.sent == []  # type: ignore[union-attr]
