from hypothesis import given
from hypothesis import strategies as st

from tests.policy.visits import judged, visit
from twisted_mail.mail.address import parse
from twisted_mail.mail.verdict import ACCEPT, Stage
from twisted_mail.policy.concurrency import Concurrency, ConcurrencySettings


def come(some, *args, **more):
    who = visit(*args, **more)
    return who, judged(some, who, Stage.CONNECT)


def test_so_many_connections_of_an_address_until_one_ends():
    some = Concurrency(ConcurrencySettings(address=2, network=0))
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
    some = Concurrency(ConcurrencySettings(address=0, network=2))
    assert [come(some, f"192.0.2.{at}")[1].is_refusal for at in range(3)] == [False, False, True]
    assert come(some, "198.51.100.1")[1] == ACCEPT


def test_an_account_is_counted_once_for_each_connection():
    some = Concurrency(ConcurrencySettings(account=1))
    who = visit(submitter="alice@example.org")
    assert [judged(some, who, Stage.SENDER) for _ in range(3)] == [ACCEPT] * 3
    other = visit("127.0.0.1", submitter="alice@example.org")
    assert judged(some, other, Stage.SENDER).is_refusal
    some.ended(who, True)
    assert judged(some, other, Stage.SENDER) == ACCEPT


def test_of_the_senders_of_a_connection_the_last_is_counted():
    some = Concurrency(ConcurrencySettings(address=0, network=0, sender=1))
    who, other = visit(), visit("198.51.100.1")
    assert judged(some, who, Stage.SENDER) == ACCEPT
    assert judged(some, other, Stage.SENDER).reason == (
        "more than 1 connections: sender a@client.example"
    )
    for number in range(100):
        who.sender = parse(f"b{number}@client.example")
        assert judged(some, who, Stage.SENDER) == ACCEPT
    assert len(some) == 1
    assert judged(some, other, Stage.SENDER) == ACCEPT
    for one in (who, other):
        some.ended(one, True)
    assert len(some) == 0
    assert judged(some, visit(sender=""), Stage.SENDER) == ACCEPT


def test_trusted_networks_are_not_counted():
    some = Concurrency(ConcurrencySettings(address=1))
    assert [come(some, "127.0.0.1")[1] for _ in range(3)] == [ACCEPT] * 3


@given(st.lists(st.integers(0, 5), max_size=60))
def test_when_all_have_gone_nothing_is_kept(steps):
    some = Concurrency(ConcurrencySettings(address=2, network=4))
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
