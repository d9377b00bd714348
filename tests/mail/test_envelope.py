"""Tests of twisted_mail.mail.envelope."""

from dataclasses import FrozenInstanceError

import pytest

from twisted_mail.mail.address import NULL, Address
from twisted_mail.mail.envelope import Envelope


def test_an_envelope_promises_nothing_by_itself() -> None:
    envelope = Envelope("id", NULL, (Address("joe", "a"),))
    assert (envelope.declared_size, envelope.is_8bit, envelope.submitter) == (0, False, "")


def test_envelopes_are_values() -> None:
    envelope = Envelope("id", NULL, ())
    assert envelope == Envelope("id", NULL, ())
    with pytest.raises(FrozenInstanceError):
        envelope.id = "other"  # type: ignore[misc]
