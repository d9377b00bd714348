import pytest

from twisted_mail.smtp.arrival.added_steps import with_added
from twisted_mail.smtp.backend import AddedStep, ArrivalStep


def step(name: str) -> ArrivalStep:
    return ArrivalStep(name, lambda arrival: None)


STEPS = [step(name) for name in ("spool", "accept", "answer")]


def names(*added: AddedStep) -> str:
    return " ".join(one.name for one in with_added(STEPS, added, "smtp"))


def test_a_step_stands_before_or_after_another() -> None:
    one = AddedStep(step("sign"), ["smtp"], before="accept")
    two = AddedStep(step("look"), ["smtp"], after="spool")
    assert names(one) == "spool sign accept answer"
    assert names(two) == "spool look accept answer"
    assert names(one, AddedStep(step("check"), ["smtp"], after="sign")) == (
        "spool sign check accept answer"
    )


def test_other_services_do_not_have_it() -> None:
    assert names(AddedStep(step("sign"), ["submission"], before="nothing")) == "spool accept answer"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"before": "bcc"}, "'sign' cannot stand before 'bcc': the steps are spool accept answer"),
        ({"after": "bcc"}, "'sign' cannot stand after 'bcc'"),
        ({"after": "accept"}, "'sign' cannot stand after 'accept'"),
        ({"before": "answer"}, "'sign' cannot stand before 'answer'"),
        ({"after": "answer"}, "'sign' cannot stand after 'answer'"),
        ({}, "'sign' cannot stand after ''"),
    ],
)
def test_a_step_needs_a_place_before_the_message_is_accepted(
    place: dict[str, str], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        names(AddedStep(step("sign"), ["smtp"], **place))
