import pytest

from tests.policy.contexts import context, judged, names
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.dns import MailHost
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.verdict import Decision
from twisted_mail.policy.checks.sender_domain import SenderDomainCheck, SenderDomainSettings

USUAL = SenderDomainSettings()


def check(settings=USUAL, **records):
    directory = FixedDirectory({"alice@example.org": "secret"}, {})
    return SenderDomainCheck(settings, names(**records), directory)


def test_a_domain_with_mail_hosts_or_addresses_is_fine():
    assert (
        judged(check(MX={"client.example": [MailHost(10, "mx.client.example")]})).decision
        is Decision.ACCEPT
    )
    assert judged(check(AAAA={"client.example": ["2001:db8::1"]})).decision is Decision.ACCEPT


def test_a_domain_that_does_not_exist_is_refused():
    verdict = judged(check())
    assert (verdict.answer.code, verdict.answer.enhanced) == (550, "5.1.8")


def test_a_domain_that_takes_no_mail_is_refused():
    records = {"MX": {"client.example": [MailHost(0, "")]}, "A": {"client.example": ["192.0.2.1"]}}
    assert judged(check(**records)).answer.enhanced == "5.7.27"
    lenient = SenderDomainSettings(null_mx="quarantine")
    assert judged(check(lenient, **records)).decision is Decision.QUARANTINE


@pytest.mark.parametrize("sender", ["", "bob@example.org", "a@[192.0.2.1]"])
def test_some_senders_have_no_domain_to_look_for(sender):
    one = check()
    assert judged(one, context(sender=sender)).decision is Decision.ACCEPT
    assert not one._resolver.asked


def test_when_nobody_answers_nothing_is_decided():
    one = check()
    one._resolver.broken.add("client.example")
    with pytest.raises(Unavailable):
        judged(one)


def test_it_cannot_be_asked_before_the_sender_is_known():
    with pytest.raises(ValueError, match="stage"):
        SenderDomainSettings(stage="hello")
