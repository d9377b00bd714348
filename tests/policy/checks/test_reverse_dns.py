import pytest

from tests.policy.contexts import HOST, context, judged, names
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.verdict import Decision
from twisted_mail.policy.checks.reverse_dns import MAX_NAMES, ReverseDnsCheck, ReverseDnsSettings

STRICT = ReverseDnsSettings(unconfirmed="quarantine")


def test_a_name_that_leads_back_is_fine():
    resolver = names(PTR={HOST: ["mail.example"]}, A={"mail.example": [HOST]})
    client = context()
    assert judged(ReverseDnsCheck(STRICT, resolver), client).reason == "192.0.2.1 is mail.example"
    assert client.reverse_name == "mail.example"


def test_an_ipv6_address_is_confirmed_by_its_own_kind():
    resolver = names(PTR={"2001:db8::1": ["six.example"]}, AAAA={"six.example": ["2001:db8::1"]})
    assert (
        judged(ReverseDnsCheck(STRICT, resolver), context("2001:DB8::1")).decision
        is Decision.ACCEPT
    )


def test_one_of_several_names_is_enough():
    resolver = names(PTR={HOST: ["old.example", "mail.example"]}, A={"mail.example": [HOST]})
    assert judged(ReverseDnsCheck(STRICT, resolver)).decision is Decision.ACCEPT


def test_no_name_is_refused():
    verdict = judged(ReverseDnsCheck(STRICT, names()))
    assert verdict.decision is Decision.REFUSE
    assert verdict.answer.enhanced == "5.7.25"


def test_a_name_that_leads_elsewhere_is_what_the_settings_say():
    resolver = names(PTR={HOST: ["bank.example"]}, A={"bank.example": ["198.51.100.1"]})
    verdict = judged(ReverseDnsCheck(STRICT, resolver))
    assert verdict.decision is Decision.QUARANTINE
    assert verdict.reason == "192.0.2.1 claims to be bank.example"
    client = context()
    assert (
        judged(ReverseDnsCheck(ReverseDnsSettings(), resolver), client).decision is Decision.ACCEPT
    )
    assert not client.reverse_name


def test_when_nobody_answers_nothing_is_decided():
    resolver = names(PTR={HOST: ["mail.example"]})
    resolver.broken.add("mail.example")
    with pytest.raises(Unavailable):
        judged(ReverseDnsCheck(STRICT, resolver))
    resolver.broken.add(HOST)
    with pytest.raises(Unavailable):
        judged(ReverseDnsCheck(STRICT, resolver))


def test_a_thousand_names_are_not_all_looked_for():
    resolver = names(PTR={HOST: [f"{at}.example" for at in range(1000)]})
    judged(ReverseDnsCheck(STRICT, resolver))
    assert len(resolver.asked) == 1 + MAX_NAMES


def test_a_unix_socket_has_no_address():
    resolver = names()
    judged(ReverseDnsCheck(STRICT, resolver), context(""))
    assert not resolver.asked
