"""What is demanded of the hosts of a destination, with the DNS and policies of others."""

from dataclasses import dataclass

from twisted_mail.interfaces import FoundHosts
from twisted_mail.mail.dns import TlsaRecord
from twisted_mail.mail.trust import Demand, PassedOver
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.resolver import FakeResolver
from twisted_mail.trust.demands import TrustDemands
from twisted_mail.trust.settings import OutgoingTlsSettings, SetLevel
from twisted_mail.trust.sts import StsMode, StsPolicy
from twisted_mail.trust.tlsa_lookup import TlsaLookup

RECORD = TlsaRecord(3, 1, 1, bytes(32))


@dataclass(frozen=True)
class Host:
    name: str
    is_authentic: bool = True
    canonical: str = ""


class Policies:
    def __init__(self, policy: StsPolicy | None = None) -> None:
        self.policy = policy
        self.asked: list[str] = []

    async def find(self, domain: str) -> StsPolicy | None:
        self.asked.append(domain)
        return self.policy


class Fixture:
    def __init__(self, level: SetLevel = "may", policy: StsPolicy | None = None) -> None:
        self.dns, self.policies = FakeResolver(), Policies(policy)
        settings = OutgoingTlsSettings(level)
        self.demands = TrustDemands(settings, TlsaLookup(self.dns, 25), self.policies)

    def of(
        self, *names: str, domain: str = "there.example", is_authentic: bool = True
    ) -> list[str]:
        found = FoundHosts((domain,), [Host(name) for name in names], is_authentic)
        demands = finish(self.demands.of(found))
        assert list(demands) == list(names)
        return [
            one.label if isinstance(one, Demand) else one.outcome.text for one in demands.values()
        ]


def test_each_host_has_its_own_demand() -> None:
    there = Fixture()
    there.dns.add("_25._tcp.b.example", "TLSA", RECORD).signed.add("_25._tcp.b.example")
    assert there.of("a.example", "b.example") == ["may", "dane"]
    assert there.policies.asked == ["there.example"]


def test_no_records_count_where_the_mail_hosts_are_not_authentic() -> None:
    there = Fixture()
    there.dns.add("_25._tcp.b.example", "TLSA", RECORD).signed.add("_25._tcp.b.example")
    assert there.of("b.example", is_authentic=False) == ["may"]
    assert there.dns.asked == []


def test_a_policy_counts_for_all_hosts() -> None:
    there = Fixture(policy=StsPolicy(StsMode.ENFORCE, 60, ("a.example",)))
    said = "b.example is none of the mail hosts that the MTA-STS policy of the domain names"
    assert there.of("a.example", "b.example", is_authentic=False) == ["verify/mta-sts", said]


def test_nobody_is_asked_where_no_tls_is_wanted() -> None:
    there = Fixture("none", StsPolicy(StsMode.ENFORCE, 60, ("a.example",)))
    assert there.of("b.example") == ["none/setting"]
    assert (there.dns.asked, there.policies.asked) == ([], [])


def test_nobody_is_asked_about_an_address() -> None:
    there = Fixture("encrypt")
    assert there.of("[192.0.2.1]", domain="[192.0.2.1]") == ["encrypt/setting"]
    assert (there.dns.asked, there.policies.asked) == ([], [])


def test_without_either_only_the_setting_counts() -> None:
    demands = TrustDemands(OutgoingTlsSettings("encrypt"))
    found = FoundHosts(("there.example",), [Host("a.example")], True)
    [one] = finish(demands.of(found)).values()
    assert not isinstance(one, PassedOver)
    assert one.label == "encrypt/setting"
