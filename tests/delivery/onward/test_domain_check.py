"""Domains that are looked at while the sender writes."""

import pytest

from twisted_mail.delivery.onward.domain_check import SECONDS, MailDomainCheck
from twisted_mail.mail.dns import DnsAnswer, MailHost
from twisted_mail.testing.doubles import StillClock, finish
from twisted_mail.testing.resolver import FakeResolver


def refusal(
    dns: FakeResolver, domain: str = "there.example", clock: StillClock | None = None
) -> str:
    found = finish(MailDomainCheck(dns, clock or StillClock()).refusal(domain, "alice"))
    return "" if found is None else f"{found.code} {found.enhanced}"


def test_a_domain_with_mail_hosts_or_an_address_is_fine() -> None:
    assert refusal(FakeResolver().add("there.example", "MX", MailHost(10, "a.example"))) == ""
    assert refusal(FakeResolver().add("there.example", "AAAA", "2001:db8::1")) == ""


def test_a_domain_that_does_not_exist() -> None:
    dns = FakeResolver()
    dns.missing.add("there.example")
    assert refusal(dns) == "550 5.1.2"
    assert dns.askers == ["alice"]


def test_a_domain_with_nothing_in_it() -> None:
    assert refusal(FakeResolver()) == "550 5.1.2"


def test_a_domain_that_takes_no_mail() -> None:
    assert refusal(FakeResolver().add("there.example", "MX", MailHost(0, ""))) == "556 5.1.10"


@pytest.mark.parametrize("domain", ["192.0.2.1", "a\\.b"])
def test_a_domain_that_cannot_exist(domain: str) -> None:
    assert refusal(FakeResolver(), domain) == "550 5.1.2"


def test_a_literal_is_not_looked_up() -> None:
    dns = FakeResolver()
    assert refusal(dns, "[192.0.2.1]") == ""
    assert dns.asked == []


def test_a_dns_that_is_broken_lets_it_pass() -> None:
    dns = FakeResolver()
    dns.broken.add("there.example")
    assert refusal(dns) == ""


def test_a_dns_that_is_slow_lets_it_pass() -> None:
    clock = StillClock()

    class SlowResolver(FakeResolver):
        async def mail_hosts(self, domain: str) -> DnsAnswer[MailHost]:
            await clock.sleep(SECONDS + 1)
            return DnsAnswer(exists=False)

    assert refusal(SlowResolver(), clock=clock) == ""
