import pytest

from tests.policy.contexts import context, judged
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.verdict import ACCEPT, Decision, FilterStage
from twisted_mail.policy.checks.check import CheckFilter, CheckSettings, verdict


class Suspicious(CheckFilter):
    """Refuses everybody, and counts how often it looked."""

    looks = 0
    trouble = None

    def subject(self, context):
        return context.hello or None

    async def evaluate(self, context):
        self.looks += 1
        if self.trouble is not None:
            raise self.trouble
        return verdict("refuse", "no", Outcome(550, "5.7.1", "no"))


def test_a_subject_is_looked_at_once():
    check, who = Suspicious(CheckSettings()), context()
    assert [judged(check, who).decision for _ in range(3)] == [Decision.REFUSE] * 3
    assert check.looks == 1
    who.hello = "another.example"
    judged(check, who)
    assert check.looks == 2


def test_that_it_looked_in_vain_is_remembered_too():
    check, who = Suspicious(CheckSettings()), context()
    check.trouble = Unavailable("no DNS")
    for _ in range(2):
        with pytest.raises(Unavailable):
            judged(check, who)
    assert check.looks == 1


@pytest.mark.parametrize(
    "who",
    [
        context("127.0.0.1"),
        context("10.1.2.3"),
        context(submitter="alice@example.org"),
        context(recipient="PostMaster@example.org"),
        context(recipient="abuse@example.org"),
        context(hello=""),
    ],
)
def test_some_are_not_looked_at(who):
    check = Suspicious(CheckSettings(trusted=("127.0.0.0/8", "10.0.0.0/8")))
    assert judged(check, who) == ACCEPT
    assert check.looks == 0


def test_two_checks_of_a_kind_do_not_share_what_they_remember():
    who = context()
    for _ in range(2):
        check = Suspicious(CheckSettings())
        judged(check, who)
        assert check.looks == 1


def test_a_check_is_asked_at_its_stage():
    assert list(Suspicious(CheckSettings(stage="connect")).stages) == [FilterStage.CONNECT]


def test_a_temporary_refusal_has_temporary_codes():
    told = Outcome(550, "5.7.25", "no name")
    assert verdict("defer", "x", told).answer == Outcome(450, "4.7.25", "no name")
    assert verdict("refuse", "x", told).answer == told
    assert verdict("quarantine", "x", told).decision is Decision.QUARANTINE
    assert not verdict("accept", "x", told).is_refusal


def test_trusted_networks_are_checked_when_they_are_read():
    with pytest.raises(ValueError, match="is not a network"):
        CheckSettings(trusted=("here",))
