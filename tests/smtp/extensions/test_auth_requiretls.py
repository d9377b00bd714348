import pytest

from tests.smtp.fakes import (
    HELLO,
    LOGIN,
    MAIL,
    PROMISES,
    RCPT,
    SUBMISSION,
    FakeQueue,
    SmtpFixture,
    lines,
    say,
)
from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.testing.wire import TLS, ScriptedWire

OWN = "MAIL FROM:<alice@example.org>"


def originator(value: str) -> Address:
    smtp = SmtpFixture()
    say("EHLO c", LOGIN, f"{OWN} AUTH={value}", RCPT, "DATA", ".", smtp=smtp, settings=SUBMISSION)
    return smtp.queue.accepted[0][0].mail_parameters.originator


def test_a_user_speaks_for_own_addresses() -> None:
    assert originator("alice@example.org") == parse("alice@example.org")


@pytest.mark.parametrize("value", ["<>", "bob@example.org", "e+3Dmc2@example.com"])
def test_others_are_not_believed(value: str) -> None:
    assert originator(value) == NULL


@pytest.mark.parametrize("value", ["", "=", "=a+4", "=nobody", "=a@b.example AUTH=<>"])
def test_what_is_no_originator(value: str) -> None:
    reply = say("EHLO c", LOGIN, f"{OWN} AUTH{value}", settings=SUBMISSION)[-1]
    assert reply.startswith("501 5.5.4")


def test_auth_is_unknown_where_no_login_is_offered() -> None:
    assert say(HELLO, f"{MAIL} AUTH=<>")[-1].startswith("555 5.5.4")


# ------------------------------------------------------------ REQUIRETLS (RFC 8689)


def under_tls(*texts: str, promises: frozenset[str] = PROMISES) -> tuple[SmtpFixture, list[str]]:
    smtp = SmtpFixture(queue=FakeQueue(promises))
    wire = ScriptedWire([lines("EHLO c", *texts)])
    wire.tls_info = TLS
    return smtp, smtp.hold(wire)


def test_requiretls_is_offered_under_tls_alone() -> None:
    assert "250-REQUIRETLS" in under_tls()[1]
    assert "250-REQUIRETLS" not in under_tls(promises=frozenset())[1]
    assert "250-REQUIRETLS" not in say("EHLO c", smtp=SmtpFixture(queue=FakeQueue(PROMISES)))


def test_a_message_that_requires_tls_is_marked() -> None:
    smtp, _ = under_tls(f"{MAIL} REQUIRETLS", RCPT, "DATA", ".")
    assert smtp.queue.accepted[0][0].mail_parameters.requires_tls


@pytest.mark.parametrize(
    ("promises", "parameter", "is_optional"),
    [
        ({"TLS-Required", "REQUIRETLS"}, "", True),
        ({"TLS-Required", "REQUIRETLS"}, " REQUIRETLS", False),
        ({"REQUIRETLS"}, "", False),
    ],
)
def test_the_field_that_waives_tls_is_heeded_where_somebody_keeps_it(
    promises: set[str], parameter: str, is_optional: bool
) -> None:
    message = ("DATA", "TLS-Required: No", "", ".")
    smtp, _ = under_tls(f"{MAIL}{parameter}", RCPT, *message, promises=frozenset(promises))
    assert smtp.queue.accepted[0][0].is_tls_optional is is_optional


def test_in_clear_tls_is_asked_for() -> None:
    reply = say(HELLO, f"{MAIL} REQUIRETLS", smtp=SmtpFixture(queue=FakeQueue(PROMISES)))[-1]
    assert reply.startswith("530 5.7.10")


def test_where_nobody_can_keep_it_the_client_is_told() -> None:
    said = under_tls(f"{MAIL} REQUIRETLS", promises=frozenset())[1][-1]
    assert said == "550 5.7.30 REQUIRETLS support required"


def test_requiretls_has_no_value() -> None:
    assert under_tls(f"{MAIL} REQUIRETLS=yes")[1][-1].startswith("501 5.5.4")
