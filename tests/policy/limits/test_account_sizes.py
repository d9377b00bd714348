import pytest

from tests.policy.contexts import context, judged, message
from tests.smtp.fakes import FakeRouter
from twisted_mail.mail.address import parse
from twisted_mail.mail.verdict import ACCEPT, FilterStage
from twisted_mail.policy.limits.account_sizes import (
    AccountLimit,
    AccountLimits,
    AccountLimitSettings,
)

ALICE = {"submitter": "alice@example.org"}


def limits(*some):
    return AccountLimits(AccountLimitSettings(tuple(some)), FakeRouter())


def test_what_an_account_sends_is_measured_as_declared_and_as_it_came():
    some = limits(AccountLimit("alice@example.org", sends=1000))
    verdict = judged(some, context(declared_size=1001, **ALICE), FilterStage.SENDER)
    assert (verdict.answer.code, verdict.answer.enhanced) == (552, "5.3.4")
    assert judged(some, context(declared_size=1000, **ALICE), FilterStage.SENDER) == ACCEPT
    assert judged(some, context(message=message(1001), **ALICE), FilterStage.MESSAGE).is_refusal
    assert judged(some, context(message=message(1001)), FilterStage.MESSAGE) == ACCEPT


def test_the_first_limit_that_is_for_an_account_holds():
    some = limits(
        AccountLimit("Alice@example.org"),
        AccountLimit("@example.org", sends=10),
        AccountLimit(sends=5),
    )
    for name, size, is_refused in [
        ("alice@example.org", 99, False),
        ("bob@example.org", 10, False),
        ("bob@example.org", 11, True),
        ("carol@example.net", 6, True),
    ]:
        who = context(declared_size=size, submitter=name)
        assert judged(some, who, FilterStage.SENDER).is_refusal == is_refused


def test_an_account_may_send_to_so_many():
    some = limits(AccountLimit(recipients=2))
    two = (parse("a@x.example"), parse("b@x.example"))
    assert judged(some, context(recipients=two[:1], **ALICE)) == ACCEPT
    verdict = judged(some, context(recipients=two, **ALICE))
    assert (verdict.answer.code, verdict.answer.enhanced) == (550, "5.5.3")
    assert judged(some, context(recipients=two)) == ACCEPT


def test_a_recipient_takes_so_much():
    some = limits(AccountLimit("alice@example.org", gets=1000))
    who = context(declared_size=1001)
    assert judged(some, who).answer.enhanced == "5.2.3"
    who.recipient = parse("bob@example.org")
    assert judged(some, who) == ACCEPT
    assert judged(some, context(recipient="nobody@example.org", declared_size=9999)) == ACCEPT


def test_a_message_larger_than_declared_is_refused_in_the_end():
    some = limits(AccountLimit("alice@example.org", gets=1000), AccountLimit(gets=2000))
    who = context(message=message(1500))
    judged(some, who)
    who.recipient = parse("bob@example.org")
    judged(some, who)
    assert judged(some, who, FilterStage.MESSAGE).answer.enhanced == "5.2.3"
    judged(some, who, FilterStage.SENDER)
    judged(some, who)
    assert judged(some, who, FilterStage.MESSAGE) == ACCEPT


@pytest.mark.parametrize(
    "written", ["\u00c4nne@example.org", "a\u0308nne@Example.org", "@EXAMPLE.org"]
)
def test_limits_are_for_an_account_in_whatever_spelling(written):
    some = limits(AccountLimit(written, sends=1))
    who = context(declared_size=2, submitter="\u00e4nne@example.org")
    assert judged(some, who, FilterStage.SENDER).is_refusal


def test_limits_are_for_a_domain_in_unicode():
    some = limits(AccountLimit("@exämple.org", sends=1), AccountLimit("@-", sends=9))
    who = context(declared_size=2, submitter="alice@xn--exmple-cua.org")
    assert judged(some, who, FilterStage.SENDER).is_refusal
    assert judged(some, context(declared_size=2, **ALICE), FilterStage.SENDER) == ACCEPT
