"""Tests of twisted_mail.mail.envelope."""

from dataclasses import FrozenInstanceError, replace

import pytest

from twisted_mail.mail.address import NULL, Address
from twisted_mail.mail.envelope import (
    DEFAULT_DSN_REQUEST,
    BodyType,
    DsnRequest,
    Envelope,
    MailParameters,
)
from twisted_mail.mail.route import KnownRoutes


def test_an_envelope_promises_nothing_by_itself() -> None:
    envelope = Envelope("id", NULL, (Address("joe", "a"),))
    assert (envelope.declared_size, envelope.is_8bit, envelope.submitter) == (0, False, "")
    assert envelope.mail_parameters == MailParameters()
    assert envelope.dsn_request(Address("joe", "a")) == DEFAULT_DSN_REQUEST


@pytest.mark.parametrize(
    ("body", "is_8bit"), [("7BIT", False), ("8BITMIME", True), ("BINARYMIME", True)]
)
def test_a_body_that_is_binary_is_8bit_as_well(body: BodyType, is_8bit: bool) -> None:
    assert Envelope("id", NULL, (), mail_parameters=MailParameters(body=body)).is_8bit is is_8bit


def test_what_was_said_of_a_recipient_is_found_by_the_address() -> None:
    joe, never = Address("joe", "a"), DsnRequest(frozenset())
    envelope = Envelope("id", NULL, (joe,), dsn_requests={joe: never})
    assert envelope.dsn_request(Address("joe", "a")) is never
    assert hash(envelope) == hash(Envelope("id", NULL, (joe,)))


def test_the_message_id_alone_is_altered() -> None:
    envelope = Envelope(
        "id", Address("amy", "b"), (Address("joe", "a"),), "amy", True, client_host="192.0.2.1",
        mail_parameters=MailParameters(9), is_tls_optional=True, tls="TLSv1.3",
        routes=KnownRoutes(1, {}), dsn_requests={Address("joe", "a"): DEFAULT_DSN_REQUEST},
    )  # fmt: skip
    known = envelope.with_message_id("<1@b>")
    assert known == replace(envelope, message_id="<1@b>")
    assert known.routes is envelope.routes


def test_envelopes_are_values() -> None:
    envelope = Envelope("id", NULL, ())
    assert envelope == Envelope("id", NULL, ())
    with pytest.raises(FrozenInstanceError):
        envelope.id = "other"  # type: ignore[misc]
