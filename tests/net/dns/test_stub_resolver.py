from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import pytest

from twisted_mail.mail.dns import MailHost, TlsaRecord
from twisted_mail.net.dns import stub_resolver
from twisted_mail.net.dns.stub_resolver import StubResolver, to_name


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("A", "192.0.2.1", "192.0.2.1"),
        ("AAAA", "2001:DB8::1", "2001:db8::1"),
        ("PTR", "Mail.Example.", "mail.example"),
        ("PTR", "a\\013\\010b.example.", "a\\013\\010b.example"),
        ("MX", "10 Mail.Example.", MailHost(10, "mail.example")),
        ("MX", "0 .", MailHost(0, "")),
        ("TXT", '"one" "two"', b"onetwo"),
        ("CNAME", "Mail.Example.", "mail.example"),
        ("TLSA", "3 1 0 00ff", TlsaRecord(3, 1, 0, b"\x00\xff")),
    ],
)
def test_records_become_values(kind, text, value):
    data = dns.rdata.from_text("IN", kind, text)
    assert stub_resolver._READERS[kind](data) == value


def test_a_text_is_a_name_label_by_label():
    assert to_name("Mail.Example.") == dns.name.from_text("mail.example.")
    assert to_name("a\\046b.example").labels[0] == b"a\\046b"
    for text in ("", ".", "a..b", "x" * 64, "\u00e4.example", "a." * 130):
        assert to_name(text) is None


def test_only_this_host_is_believed():
    assert stub_resolver._is_local("127.0.0.53")
    assert stub_resolver._is_local("::1")
    assert not stub_resolver._is_local("192.0.2.53")
    assert not stub_resolver._is_local(None)


def test_servers_are_asked_in_the_order_given():
    made = StubResolver(None, [("192.0.2.1", 53), ("2001:db8::1", 5353)], 0.5)._resolver
    assert [(one.address, one.port) for one in made.nameservers] == [
        ("192.0.2.1", 53),
        ("2001:db8::1", 5353),
    ]
    assert (made.lifetime, made.timeout, made.payload) == (0.5, 0.5, 1232)


def test_without_servers_those_of_the_system_are_asked():
    assert StubResolver(None)._resolver.nameservers


@pytest.mark.parametrize(
    ("lines", "servers"),
    [
        (b"nameserver 192.0.2.1\nnameserver 2001:db8::1\n", ["192.0.2.1", "2001:db8::1"]),
        (b"nameserver 127.0.0.1#54\nnameserver 192.0.2.1\n", ["192.0.2.1"]),
        (b"nameserver https://dns.example/\nnameserver\n", ["127.0.0.1"]),
        (b"search a..b \xff\nnameserver 192.0.2.1 # \xfc\n", ["192.0.2.1"]),
        (b"", ["127.0.0.1"]),
    ],
)
def test_what_is_no_address_in_resolv_conf_is_passed_over(
    lines: bytes, servers: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "resolv.conf"
    file.write_bytes(lines)
    monkeypatch.setattr(stub_resolver, "SYSTEM_SERVERS", file)
    made = StubResolver(None)._resolver
    assert [str(one) for one in made.nameservers] == servers


def test_without_resolv_conf_this_host_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stub_resolver, "SYSTEM_SERVERS", tmp_path / "none")
    assert [str(one) for one in StubResolver(None)._resolver.nameservers] == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("servers", "flags", "is_authentic"),
    [
        ([("127.0.0.1", 53)], dns.flags.AD, True),
        ([("127.0.0.1", 53), ("::1", 53)], dns.flags.AD, True),
        ([("127.0.0.1", 53)], 0, False),
        ([("192.0.2.53", 53)], dns.flags.AD, False),
        ([("127.0.0.1", 53), ("192.0.2.53", 53)], dns.flags.AD, False),
    ],
)
def test_that_there_is_no_name_is_authentic_where_only_this_host_is_asked(
    servers, flags, is_authentic
):
    response = dns.message.make_response(dns.message.make_query("gone.example", "MX"))
    response.set_rcode(dns.rcode.NXDOMAIN)
    response.flags |= flags
    reply = StubResolver(None, servers)._nothing(response)
    assert (reply.values, reply.exists, reply.is_authentic) == ((), False, is_authentic)
