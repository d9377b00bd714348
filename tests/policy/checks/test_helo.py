import pytest

from tests.policy.contexts import context, judged, names
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.verdict import Decision
from twisted_mail.policy.checks.helo import HeloCheck, HeloSettings, normalise_helo

STRICT = HeloSettings(wrong_literal="refuse", unknown="defer")


def said(hello, settings=STRICT, **records):
    directory = FixedDirectory({"alice@example.org": "secret"}, {})
    check = HeloCheck(settings, names(**records), directory, ("Mail.Example.Org",))
    return judged(check, context(hello=hello))


@pytest.mark.parametrize(
    "hello", ["localhost", "WIN-123", "192.0.2.1", "[192.0.2", "a..b", "_", "1.2"]
)
def test_what_is_no_full_name_is_refused(hello):
    verdict = said(hello)
    assert verdict.decision is Decision.REFUSE
    assert verdict.answer.enhanced == "5.5.2"


@pytest.mark.parametrize("hello", ["mail.example.org", "MAIL.example.ORG.", "example.org"])
def test_our_own_name_is_refused(hello):
    assert said(hello).answer.text == "The name you gave in HELO is ours"


def test_a_literal_is_that_of_the_client():
    assert said("[192.0.2.1]").decision is Decision.ACCEPT
    assert said("[198.51.100.1]").decision is Decision.REFUSE
    assert said("[198.51.100.1]", HeloSettings()).decision is Decision.ACCEPT
    assert said("[IPv6:::ffff:192.0.2.1]").decision is Decision.ACCEPT


def test_a_name_exists_by_an_address_or_by_mail_hosts():
    assert (
        said("client.example", A={"client.example": ["198.51.100.1"]}).decision is Decision.ACCEPT
    )
    assert said("client.example", MX={"client.example": ["x"]}).decision is Decision.ACCEPT
    verdict = said("client.example")
    assert verdict.decision is Decision.DEFER
    assert verdict.answer.code == 450


def test_by_default_nobody_is_asked_whether_a_name_exists():
    assert said("client.example", HeloSettings()).decision is Decision.ACCEPT


def test_the_normal_form_of_names():
    assert normalise_helo("Client.Example.") == "client.example"
    assert normalise_helo("[IPv6:2001:DB8::1]") == "[IPv6:2001:db8::1]"
    assert normalise_helo("one") is None


def test_it_cannot_be_asked_before_the_name_is_known():
    with pytest.raises(ValueError, match="stage"):
        HeloSettings(stage="connect")
