"""Tests of twisted_mail.mail.outcome."""

import pytest

from twisted_mail.mail.outcome import MailError, Outcome, ProtocolError, Refused, Unavailable


@pytest.mark.parametrize(
    ("code", "is_success", "is_temporary"),
    [
        *((199, False, False), (200, True, False), (354, True, False), (399, True, False)),
        *((400, False, True), (451, False, True), (499, False, True), (500, False, False)),
    ],
)
def test_the_code_says_how_it_ended(code: int, is_success: bool, is_temporary: bool) -> None:
    outcome = Outcome(code, "", "text")
    assert (outcome.is_success, outcome.is_temporary) == (is_success, is_temporary)


@pytest.mark.parametrize(
    ("error", "code", "enhanced", "condition"),
    [
        (MailError, 451, "4.3.0", ""),
        (ProtocolError, 500, "5.5.2", ""),
        (Refused, 550, "5.7.1", ""),
        (Unavailable, 451, "4.3.0", "UNAVAILABLE"),
    ],
)
def test_each_kind_has_its_own_outcome(
    error: type[MailError], code: int, enhanced: str, condition: str
) -> None:
    raised = error("Not now")
    assert raised.outcome == Outcome(code, enhanced, "Not now")
    assert raised.condition == condition
    assert str(raised) == "Not now"


def test_an_outcome_may_be_given() -> None:
    outcome = Outcome(452, "4.2.2", "Mailbox full")
    raised = Refused(outcome, "OVERQUOTA")
    assert raised.outcome is outcome
    assert raised.outcome.is_temporary
    assert raised.condition == "OVERQUOTA"


def test_unavailable_is_temporary_unless_said_otherwise() -> None:
    assert Unavailable("x").outcome.is_temporary
    assert not Refused("x").outcome.is_temporary
