from hypothesis import given
from hypothesis import strategies as st

from tests.policy.contexts import context, judged
from twisted_mail.mail.address import parse
from twisted_mail.mail.verdict import ACCEPT, FilterStage
from twisted_mail.policy.limits.concurrency import ConcurrencyLimits, ConcurrencySettings


def come(some, *args, **more):
    who = context(*args, **more)
    return who, judged(some, who, FilterStage.CONNECT)


def test_so_many_connections_of_an_address_until_one_ends():
    some = ConcurrencyLimits(ConcurrencySettings(address=2, network=0))
    first, _ = come(some)
    come(some)
    third, verdict = come(some)
    assert verdict.answer.code == 450
    assert verdict.reason == "more than 2 connections: address 192.0.2.1"
    some.ended(third, True)
    assert come(some)[1].is_refusal
    some.ended(first, False)
    assert come(some)[1].is_refusal
    some.ended(first, True)
    assert come(some)[1] == ACCEPT


def test_a_network_is_counted_as_one():
    some = ConcurrencyLimits(ConcurrencySettings(address=0, network=2))
    assert [come(some, f"192.0.2.{at}")[1].is_refusal for at in range(3)] == [False, False, True]
    assert come(some, "198.51.100.1")[1] == ACCEPT


def test_an_account_is_counted_once_for_each_connection():
    some = ConcurrencyLimits(ConcurrencySettings(account=1))
    who = context(submitter="alice@example.org")
    assert [judged(some, who, FilterStage.SENDER) for _ in range(3)] == [ACCEPT] * 3
    other = context("127.0.0.1", submitter="alice@example.org")
    assert judged(some, other, FilterStage.SENDER).is_refusal
    some.ended(who, True)
    assert judged(some, other, FilterStage.SENDER) == ACCEPT


def test_of_the_senders_of_a_connection_the_last_is_counted():
    some = ConcurrencyLimits(ConcurrencySettings(address=0, network=0, account=0, sender=1))
    who, other = (context(host, submitter="a@client.example") for host in ("192.0.2.1", "::1"))
    assert judged(some, who, FilterStage.SENDER) == ACCEPT
    assert judged(some, other, FilterStage.SENDER).reason == (
        "more than 1 connections: sender a@client.example"
    )
    for number in range(100):
        who.sender = parse(f"b{number}@client.example")
        assert judged(some, who, FilterStage.SENDER) == ACCEPT
    assert len(some) == 1
    assert judged(some, other, FilterStage.SENDER) == ACCEPT
    for one in (who, other):
        some.ended(one, True)
    assert len(some) == 0
    assert judged(some, context(sender=""), FilterStage.SENDER) == ACCEPT


def test_a_stranger_who_names_a_sender_keeps_nobody_else_out():
    some = ConcurrencyLimits(ConcurrencySettings(address=0, network=0, sender=1))
    assert judged(some, context(), FilterStage.SENDER) == ACCEPT
    assert judged(some, context("192.0.2.9"), FilterStage.SENDER).reason == (
        "more than 1 connections: sender a@client.example from 192.0.2.0/24"
    )
    assert judged(some, context("198.51.100.1"), FilterStage.SENDER) == ACCEPT
    who = context(submitter="a@client.example")
    assert judged(some, who, FilterStage.SENDER) == ACCEPT


def test_trusted_networks_are_not_counted():
    some = ConcurrencyLimits(ConcurrencySettings(address=1))
    assert [come(some, "127.0.0.1")[1] for _ in range(3)] == [ACCEPT] * 3


@given(st.lists(st.integers(0, 5), max_size=60))
def test_when_all_have_gone_nothing_is_kept(steps):
    some = ConcurrencyLimits(ConcurrencySettings(address=2, network=4))
    here = []
    for step in steps:
        if step == 5 and here:
            some.ended(here.pop(0), True)
        else:
            here.append(come(some, f"192.0.2.{step}")[0])
    for who in here:
        some.ended(who, True)
        some.ended(who, True)
    assert len(some) == 0
