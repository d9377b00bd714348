"""Where the TLSA records of a host are looked for (RFC 7672 §2.2.2)."""

from dataclasses import dataclass

from twisted_mail.mail.dns import TlsaRecord
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.resolver import FakeResolver
from twisted_mail.trust.tlsa_lookup import FAILED, NO_RECORDS, TlsaFinding, TlsaLookup

RECORD = TlsaRecord(3, 1, 1, bytes(32))
OTHER = TlsaRecord(2, 0, 1, bytes(32))


@dataclass(frozen=True)
class Host:
    name: str = "mx.example"
    is_authentic: bool = True
    canonical: str = ""


def records(dns: FakeResolver, base: str, *values: TlsaRecord, signed: bool = True) -> None:
    name = f"_25._tcp.{base}"
    dns.add(name, "TLSA", *values)
    if signed:
        dns.signed.add(name)


def find(dns: FakeResolver, host: Host) -> TlsaFinding:
    return finish(TlsaLookup(dns, 25).find([host]))[host.name]


def test_the_records_of_a_host() -> None:
    dns = FakeResolver()
    records(dns, "mx.example", RECORD, OTHER)
    assert find(dns, Host()) == TlsaFinding("mx.example", (RECORD, OTHER))
    assert dns.asked == [("_25._tcp.mx.example", "TLSA")]


def test_a_host_whose_addresses_are_not_authentic_is_not_asked_about() -> None:
    dns = FakeResolver()
    records(dns, "mx.example", RECORD)
    assert find(dns, Host(is_authentic=False)) == NO_RECORDS
    assert dns.asked == []


def test_records_that_are_not_authentic_are_none() -> None:
    dns = FakeResolver()
    records(dns, "mx.example", RECORD, signed=False)
    assert find(dns, Host()) == NO_RECORDS


def test_an_answer_that_fails_is_not_one_without_records() -> None:
    dns = FakeResolver()
    dns.broken.add("_25._tcp.mx.example")
    assert find(dns, Host()) == FAILED


ALIAS = Host("mx.example", canonical="real.example")


def test_the_name_behind_an_alias_comes_first() -> None:
    dns = FakeResolver()
    records(dns, "mx.example", OTHER)
    records(dns, "real.example", RECORD)
    assert find(dns, ALIAS) == TlsaFinding("real.example", (RECORD,))


def test_the_alias_itself_comes_second() -> None:
    dns = FakeResolver()
    records(dns, "mx.example", OTHER)
    records(dns, "real.example", RECORD, signed=False)
    assert find(dns, ALIAS) == TlsaFinding("mx.example", (OTHER,))


def test_an_answer_that_fails_behind_an_alias_ends_the_search() -> None:
    dns = FakeResolver()
    records(dns, "mx.example", OTHER)
    dns.broken.add("_25._tcp.real.example")
    assert find(dns, ALIAS) == FAILED


UNSIGNED = Host("mx.example", is_authentic=False, canonical="real.example")


def test_an_authentic_alias_of_a_name_that_is_not() -> None:
    dns = FakeResolver().add("mx.example", "CNAME", "real.example")
    dns.signed.add("mx.example")
    records(dns, "mx.example", OTHER)
    records(dns, "real.example", RECORD)
    assert find(dns, UNSIGNED) == TlsaFinding("mx.example", (OTHER,))


def test_an_alias_that_is_not_authentic_either() -> None:
    dns = FakeResolver().add("mx.example", "CNAME", "real.example")
    records(dns, "mx.example", OTHER)
    assert find(dns, UNSIGNED) == NO_RECORDS


def test_an_alias_about_which_the_dns_is_silent() -> None:
    dns = FakeResolver()
    dns.broken.add("mx.example")
    assert find(dns, UNSIGNED) == FAILED


def test_an_alias_of_the_records_changes_no_name() -> None:
    dns = FakeResolver().add("_25._tcp.mx.example", "CNAME", "tlsa201._dane.example")
    dns.add("tlsa201._dane.example", "TLSA", RECORD)
    dns.signed |= {"_25._tcp.mx.example", "tlsa201._dane.example"}
    assert find(dns, Host()) == TlsaFinding("mx.example", (RECORD,))


def test_several_hosts_are_asked_about_at_once_and_each_has_its_own() -> None:
    dns = FakeResolver()
    records(dns, "b.example", RECORD)
    records(dns, "c.example", OTHER)
    dns.broken.add("_25._tcp.d.example")
    hosts = [Host("a.example"), Host("b.example"), Host("x.example", canonical="c.example")]
    found = finish(TlsaLookup(dns, 25).find([*hosts, Host("d.example")]))
    assert found == {
        "a.example": NO_RECORDS,
        "b.example": TlsaFinding("b.example", (RECORD,)),
        "x.example": TlsaFinding("c.example", (OTHER,)),
        "d.example": FAILED,
    }


def test_the_port_is_in_the_question() -> None:
    dns = FakeResolver()
    finish(TlsaLookup(dns, 587).find([Host()]))
    assert dns.asked == [("_587._tcp.mx.example", "TLSA")]
