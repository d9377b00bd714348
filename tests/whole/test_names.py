"""The resolver against a real server, over UDP and TCP."""

import time
from collections.abc import Iterator
from typing import Any

import dns.message
import pytest

from tests.whole.live import await_in_reactor, the_reactor
from tests.whole.names import NameServer
from twisted_mail.mail.dns import DnsAnswer, MailHost, TlsaRecord
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.net.dns.questions import DnsQuestions
from twisted_mail.net.dns.resolver import DnsResolver
from twisted_mail.net.dns.stub_resolver import StubResolver
from twisted_mail.net.process.clock import ReactorClock

pytestmark = pytest.mark.whole

MANY = [f"10 mx{at}.with-a-rather-long-name.example." for at in range(60)]
RECORDS = {
    "mail.example": {"A": ["192.0.2.1", "192.0.2.2"], "AAAA": ["2001:db8::1"]},
    "only-six.example": {"AAAA": ["2001:db8::6"]},
    "example": {"MX": ["20 second.example.", "10 First.Example."], "TXT": ['"v=spf1 " "-all"']},
    "null.example": {"MX": ["0 ."]},
    "many.example": {"MX": MANY},
    "1.2.0.192.in-addr.arpa": {"PTR": ["Mail.Example.", "bad\\010name.example."]},
    f"{'.'.join('1' + '0' * 23 + '8bd01002')}.ip6.arpa": {"PTR": ["six.example."]},
    "half.example": {"A": ["192.0.2.9"]},
    "alias.example": {"CNAME": ["Further.example."]},
    "further.example": {"CNAME": ["half.example."]},
    "_25._tcp.half.example": {"TLSA": ["3 1 1 " + "0a" * 32, "2 0 0 30"]},
}


@pytest.fixture(params=["127.0.0.1", "::1"])
def server(request: pytest.FixtureRequest) -> Iterator[NameServer]:
    server = NameServer(RECORDS, request.param)
    yield server
    server.close()


def resolver(server: NameServer, timeout: float = 5.0, port: int = 0) -> DnsResolver:
    stub = StubResolver(the_reactor(), [(server.host, port or server.port)], timeout)
    return DnsResolver(DnsQuestions(stub.ask, ReactorClock(the_reactor())))


def asked(server: NameServer, method: str, *arguments: Any, **how: Any) -> Any:
    return await_in_reactor(getattr(resolver(server, **how), method)(*arguments))


def test_every_kind_is_read(server: NameServer) -> None:
    assert asked(server, "addresses", "MAIL.example").values == (
        "2001:db8::1",
        "192.0.2.1",
        "192.0.2.2",
    )
    assert asked(server, "addresses", "mail.example", 4).values == ("192.0.2.1", "192.0.2.2")
    assert asked(server, "addresses", "only-six.example").values == ("2001:db8::6",)
    assert asked(server, "mail_hosts", "example").values == (
        MailHost(10, "first.example"),
        MailHost(20, "second.example"),
    )
    assert asked(server, "mail_hosts", "null.example").values[0].is_null
    assert asked(server, "texts", "example").values == (b"v=spf1 -all",)
    assert asked(server, "names", "192.0.2.1").values == ("bad\\010name.example", "mail.example")
    assert asked(server, "names", "::ffff:192.0.2.1")
    assert asked(server, "names", "2001:db8::1").values == ("six.example",)


@pytest.mark.parametrize("name", ["gone.example", "a..b", "x" * 64, "ü.example", "", "." * 300])
def test_what_is_not_there_is_an_empty_answer(server: NameServer, name: str) -> None:
    assert asked(server, "addresses", name) == DnsAnswer(exists=False)
    assert asked(server, "mail_hosts", name) == DnsAnswer(exists=False)


def test_a_name_without_records_of_a_kind_exists(server: NameServer) -> None:
    assert asked(server, "mail_hosts", "half.example") == DnsAnswer()
    assert asked(server, "addresses", "null.example") == DnsAnswer()


def test_that_there_is_no_name_is_authentic_when_a_local_resolver_says_so(
    server: NameServer,
) -> None:
    server.is_validating = True
    assert asked(server, "mail_hosts", "gone.example") == DnsAnswer((), True, exists=False)


def test_no_numeric_address_has_no_names(server: NameServer) -> None:
    assert asked(server, "names", "unix") == DnsAnswer(exists=False)


def test_an_answer_that_is_cut_short_comes_over_tcp(server: NameServer) -> None:
    found = asked(server, "mail_hosts", "many.example")
    assert len(found) == 60
    assert server.asked == {("udp", "many.example"): 1, ("tcp", "many.example"): 1}


def test_servers_that_fail_or_are_silent_or_absent_are_no_answer(server: NameServer) -> None:
    server.broken.add("mail.example")
    server.silent.add("slow.example")
    for name, how in [
        ("mail.example", {}),
        ("slow.example", {"timeout": 0.3}),
        ("other.example", {"port": 1}),
    ]:
        with pytest.raises(Unavailable):
            asked(server, "addresses", name, **how)


def test_of_several_questions_each_has_its_own_answer(server: NameServer) -> None:
    server.broken.add("mail.example")
    names = ["mail.example", "only-six.example", "half.example"]
    found = asked(server, "addresses_of_each", names)
    assert [each and each.values for each in found] == [None, ("2001:db8::6",), ("192.0.2.9",)]
    assert asked(server, "addresses_of_each", names, 4)[1] == DnsAnswer()


def test_an_answer_is_authentic_when_a_local_resolver_validated_it(server: NameServer) -> None:
    assert not asked(server, "addresses", "half.example", 4).is_authentic
    server.is_validating = True
    assert asked(server, "addresses", "half.example", 4).is_authentic


def test_the_name_behind_aliases_is_known(server: NameServer) -> None:
    found = asked(server, "addresses", "alias.example")
    assert (found.values, found.canonical) == (("192.0.2.9",), "half.example")
    assert asked(server, "addresses", "half.example").canonical == ""
    assert asked(server, "mail_hosts", "alias.example").canonical == "half.example"
    [several] = asked(server, "addresses_of_each", ["alias.example"])
    assert several.canonical == "half.example"


def test_an_alias_alone_is_asked_for(server: NameServer) -> None:
    server.is_validating = True
    server.unsigned.add("half.example")
    assert not asked(server, "addresses", "alias.example").is_authentic
    assert asked(server, "alias", "alias.example") == DnsAnswer(("further.example",), True)
    assert asked(server, "alias", "half.example") == DnsAnswer()


def test_the_tlsa_records_of_several_names(server: NameServer) -> None:
    server.is_validating = True
    server.broken.add("_25._tcp.mail.example")
    names = [f"_25._tcp.{name}.example" for name in ("half", "mail", "gone")]
    found = asked(server, "tlsa_of_each", names)
    records = (TlsaRecord(2, 0, 0, b"0"), TlsaRecord(3, 1, 1, b"\n" * 32))
    assert list(found) == [DnsAnswer(records, True), None, DnsAnswer((), True, exists=False)]


def test_hundreds_of_questions_at_once_are_all_answered(server: NameServer) -> None:
    server.records |= {f"host{at}.example": {"A": [f"10.0.{at // 250}.1"]} for at in range(400)}
    names = [f"host{at}.example" for at in range(400)]
    found = asked(server, "addresses_of_each", names, 4)
    assert [each.values[0] for each in found] == [f"10.0.{at // 250}.1" for at in range(400)]


def test_datagrams_that_are_no_answer_are_passed_over(server: NameServer) -> None:
    other = dns.message.make_response(dns.message.make_query("half.example", "A")).to_wire()
    server.noise = [b"", b"nonsense", b"\xff" * 600, other] * 3
    assert asked(server, "addresses", "half.example", 4).values == ("192.0.2.9",)


def test_a_flood_of_datagrams_costs_no_more_than_the_time(server: NameServer) -> None:
    server.noise = [b"x" * 1000] * 500
    server.silent.add("half.example")
    with pytest.raises(Unavailable):
        asked(server, "texts", "half.example", timeout=0.5)


@pytest.mark.parametrize(
    "torrent", [b"", b"\x00", b"\x00\x00", b"\x00\x05ab", b"\xff\xff" + b"x" * 10**6]
)
def test_a_stream_that_is_no_answer_is_none(server: NameServer, torrent: bytes) -> None:
    server.torrent = torrent
    with pytest.raises(Unavailable):
        asked(server, "mail_hosts", "many.example", timeout=1.0)


def test_aliases_in_a_circle_are_no_answer(server: NameServer) -> None:
    server.records["one.example"] = {"CNAME": ["two.example."]}
    server.records["two.example"] = {"CNAME": ["one.example."]}
    with pytest.raises(Unavailable):
        asked(server, "texts", "one.example")


def test_an_answer_of_hundreds_of_values_is_cut(server: NameServer) -> None:
    server.records["wide.example"] = {"A": [f"10.0.{at // 250}.{at % 250}" for at in range(900)]}
    assert len(asked(server, "addresses", "wide.example", 4)) == 100


def test_a_server_without_tcp_is_no_answer_at_once(server: NameServer) -> None:
    server.close_tcp()
    began = time.monotonic()
    with pytest.raises(Unavailable):
        asked(server, "mail_hosts", "many.example")
    assert time.monotonic() - began < 4
