"""A DNS in a dictionary."""

import pytest

from twisted_mail.mail.dns import MailHost
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.resolver import FakeResolver


def test_a_resolver_answers_from_its_records() -> None:
    resolver = FakeResolver().add("a.example", "A", "192.0.2.1").add("a.example", "AAAA", "::1")
    resolver.add("a.example", "MX", MailHost(10, "mx.example")).add("a.example", "TXT", b"text")
    resolver.add("192.0.2.1", "PTR", "a.example")
    assert finish(resolver.addresses("A.example")).values == ("::1", "192.0.2.1")
    assert finish(resolver.addresses("a.example", 4)).values == ("192.0.2.1",)
    assert finish(resolver.mail_hosts("a.example")).values == (MailHost(10, "mx.example"),)
    assert finish(resolver.texts("a.example")).values == (b"text",)
    assert finish(resolver.names("192.0.2.1")).values == ("a.example",)
    assert resolver.asked[0] == ("A.example", "AAAA")


def test_a_broken_name_is_not_answered() -> None:
    resolver = FakeResolver()
    resolver.broken.add("a.example")
    with pytest.raises(Unavailable):
        finish(resolver.texts("a.example"))
    assert finish(resolver.addresses_of_each(["a.example", "b.example"]))[0] is None
