"""The section [outgoing_tls]."""

import pytest

from twisted_mail.mail.trust import TlsLevel, Whence
from twisted_mail.trust.settings import OutgoingTlsSettings

SETTINGS = OutgoingTlsSettings(
    "encrypt",
    {
        "example.net": "verify",
        ".example.net": "may",
        ".b.example.net": "none",
        "Bücher.example": "none",
    },
)


@pytest.mark.parametrize(
    ("domain", "level"),
    [
        ("example.net", TlsLevel.VERIFY),
        ("a.example.net", TlsLevel.MAY),
        ("b.example.net", TlsLevel.MAY),
        ("a.b.example.net", TlsLevel.NONE),
        ("xexample.net", TlsLevel.ENCRYPT),
        ("net", TlsLevel.ENCRYPT),
        ("xn--bcher-kva.example", TlsLevel.NONE),
        ("[192.0.2.1]", TlsLevel.ENCRYPT),
    ],
)
def test_the_level_of_a_domain(domain: str, level: TlsLevel) -> None:
    assert SETTINGS.level_of(domain) == (level, Whence.SETTING)


def test_what_nobody_has_set() -> None:
    assert OutgoingTlsSettings().level_of("example.net") == (TlsLevel.MAY, Whence.DEFAULT)


@pytest.mark.parametrize("name", ["", ".", "*.example.net", "a b", "..example"])
def test_what_is_no_domain_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a domain"):
        OutgoingTlsSettings(domains={name: "may"})
