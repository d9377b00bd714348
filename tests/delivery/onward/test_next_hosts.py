"""Sites, and the hosts that are dialled for a destination."""

from twisted_mail.delivery.onward.dialing_rules import DialingRules
from twisted_mail.delivery.onward.mail_hosts import MailHostFinder
from twisted_mail.delivery.onward.next_hosts import NextHostFinder, NextHosts
from twisted_mail.delivery.onward.providers import Provider, Providers
from twisted_mail.delivery.onward.settings import SendingSettings
from twisted_mail.interfaces import SiteLimits
from twisted_mail.mail.dns import MailHost
from twisted_mail.mail.outcome import Outcome
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.resolver import FakeResolver


def find(
    dns: FakeResolver, settings: SendingSettings | None = None, *providers: Provider
) -> NextHosts | Outcome:
    settings = settings or SendingSettings()
    hosts = MailHostFinder(dns, DialingRules(), "mail.here.example", lambda hosts: None)
    finder = NextHostFinder(settings, Providers(providers), hosts, dns)
    return finish(finder.find("there.example"))


def dns(*names: str) -> FakeResolver:
    found = FakeResolver().add("there.example", "MX", *(MailHost(10, name) for name in names))
    for name in names:
        found.add(name, "A", "192.0.2.1")
    return found


def test_a_site_is_all_of_the_hosts() -> None:
    found = find(dns("b.example", "a.example"))
    assert isinstance(found, NextHosts)
    assert (found.site.carrier, found.site.name) == ("smtp", "a.example,b.example")
    assert found.site.limits == SiteLimits(2, 10)
    assert found.messages == 100
    assert not found.has_several_names
    assert found.has("a.example")
    assert not found.has("there.example")
    assert found.has_place(("a.example", "192.0.2.1"))
    assert not found.has_place(("a.example", "192.0.2.2"))


def preferring(*names: str) -> FakeResolver:
    """Return the DNS of a domain with these hosts, the first of them preferred."""
    records = [MailHost(10 * at, name) for at, name in enumerate(names)]
    found = FakeResolver().add("there.example", "MX", *records)
    for name in names:
        found.add(name, "A", "192.0.2.1")
    return found


def test_nobody_brings_a_host_of_his_own_to_the_site_of_others() -> None:
    evil = find(preferring("mx.victim.example", "tarpit.evil.example"))
    victim = find(preferring("mx.victim.example", "backup.victim.example"))
    alone = find(preferring("mx.victim.example"))
    turned = find(preferring("backup.victim.example", "mx.victim.example"))
    names = [one.site.name for one in (evil, victim, alone, turned) if isinstance(one, NextHosts)]
    assert names[0] == "mx.victim.example+tarpit.evil.example"
    assert len(set(names)) == 4


def test_nobody_brings_a_host_of_his_own_to_a_provider() -> None:
    evil = find(preferring("evil.mail.protection.outlook.com", "tarpit.evil.example"))
    assert isinstance(evil, NextHosts)
    assert evil.site.name == "evil.mail.protection.outlook.com+tarpit.evil.example"
    assert not evil.has_several_names


def test_a_host_without_an_address_is_none_less() -> None:
    records = MailHost(10, "mx.victim.example"), MailHost(20, "x.evil.example")
    dns = FakeResolver().add("there.example", "MX", *records)
    dns.add("mx.victim.example", "A", "192.0.2.1")
    evil = find(dns)
    assert isinstance(evil, NextHosts)
    assert evil.site.name == "mx.victim.example+x.evil.example"


def test_a_site_has_no_more_connections_than_the_addresses_of_its_first_hosts_may_have() -> None:
    found = FakeResolver().add(
        "there.example", "MX", MailHost(10, "a.example"), MailHost(20, "backup.example")
    )
    found.add("a.example", "A", "192.0.2.1", "192.0.2.2").add("a.example", "AAAA", "2001:db8::1")
    found.add("backup.example", "A", "192.0.2.9")
    most = {
        families: find(
            found, SendingSettings(families=families, address_connections=5)
        ).site.limits.most
        for families in ("both", "ipv4", "ipv6")
    }
    assert most == {"both": 15, "ipv4": 10, "ipv6": 5}


def test_a_provider_is_one_site_with_limits_of_its_own() -> None:
    found = find(dns("there-example.mail.protection.outlook.com"))
    assert isinstance(found, NextHosts)
    assert found.site.name == "microsoft-business"
    assert found.site.limits == SiteLimits(2, 10)
    assert found.messages == 50
    assert found.has_several_names


def test_a_provider_of_the_configuration_is_asked_first() -> None:
    provider = Provider("x", ("example",), connections=1)
    found = find(dns("a.example"), SendingSettings(messages=7), provider)
    assert isinstance(found, NextHosts)
    assert (found.site.name, found.site.limits, found.messages) == ("x", SiteLimits(1, 1), 7)


def test_why_there_is_none() -> None:
    found = find(FakeResolver())
    assert isinstance(found, Outcome)
    assert found.enhanced == "5.1.2"


# ------------------------------------------------------------ the relay


def test_a_relay_gets_all_and_no_mail_host_is_asked_for() -> None:
    resolver = FakeResolver().add("relay.example", "A", "10.0.0.1")  # where the operator says
    found = find(resolver, SendingSettings("smtp://relay.example"))
    assert isinstance(found, NextHosts)
    assert found.site.name == "relay.example:587"
    assert found.hosts[0].addresses == ("10.0.0.1",)
    assert ("there.example", "MX") not in resolver.asked


def test_a_relay_by_its_address_needs_no_dns() -> None:
    resolver = FakeResolver()
    found = find(resolver, SendingSettings("smtp://127.0.0.1:2525"))
    assert isinstance(found, NextHosts)
    assert found.hosts[0].addresses == ("127.0.0.1",)
    assert resolver.asked == []


def test_trouble_with_the_name_of_the_relay_is_for_now() -> None:
    resolver = FakeResolver()
    settings = SendingSettings("smtp://relay.example")
    missing = find(resolver, settings)
    resolver.broken.add("relay.example")
    for found in (missing, find(resolver, settings)):
        assert isinstance(found, Outcome)
        assert found.is_temporary
