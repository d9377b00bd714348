import pytest

from tests.policy.contexts import context, judged, message
from twisted_mail.mail.verdict import ACCEPT, Decision, FilterStage
from twisted_mail.policy.limits.rates import RateLimit, RateLimits, RateSettings
from twisted_mail.testing.doubles import StillClock


class RatesFixture:
    def __init__(self, *rates, **options):
        self.clock = StillClock()
        self.filter = RateLimits(RateSettings(rates=rates, **options), self.clock)

    def judge(self, stage=FilterStage.SENDER, *args, **more):
        return judged(self.filter, context(*args, **more), stage)


def test_so_many_messages_and_no_more_and_later_again():
    fixture = RatesFixture(RateLimit("messages", "address", 2, 60))
    assert [fixture.judge().decision for _ in range(3)] == [
        Decision.ACCEPT,
        Decision.ACCEPT,
        Decision.DEFER,
    ]
    assert fixture.judge().answer.text == "Too many messages for now; try again in 30 seconds"
    assert fixture.judge().reason == "more than 2 messages in 60 s: address 192.0.2.1"
    fixture.clock.seconds += 30
    assert fixture.judge() == ACCEPT


def test_a_network_is_counted_as_one():
    fixture = RatesFixture(RateLimit("connections", "network", 1))
    assert fixture.judge(FilterStage.CONNECT, "192.0.2.1") == ACCEPT
    assert fixture.judge(FilterStage.CONNECT, "192.0.2.2").is_refusal
    assert fixture.judge(FilterStage.CONNECT, "198.51.100.1") == ACCEPT


def test_those_who_log_in_are_counted_by_account_and_not_by_where_they_are():
    fixture = RatesFixture(
        RateLimit("messages", "address", 1), RateLimit("messages", "account", 2), action="refuse"
    )
    who = {"submitter": "alice@example.org"}
    assert [fixture.judge(**who).decision.value for _ in range(3)] == ["accept", "accept", "refuse"]
    assert fixture.judge(submitter="bob@example.org") == ACCEPT
    assert fixture.judge() == ACCEPT
    assert fixture.judge().answer.code == 550


def test_the_sender_of_an_account_is_counted_wherever_it_comes_from():
    fixture = RatesFixture(RateLimit("messages", "sender", 1))
    who = {"submitter": "alice@example.org"}
    assert fixture.judge(FilterStage.SENDER, "192.0.2.1", **who) == ACCEPT
    again = fixture.judge(FilterStage.SENDER, "198.51.100.1", sender="A@client.example", **who)
    assert again.reason == "more than 1 messages in 3600 s: sender a@client.example"


def test_a_stranger_who_names_a_sender_uses_up_nobody_elses_rate():
    fixture = RatesFixture(RateLimit("messages", "sender", 1))
    assert fixture.judge(FilterStage.SENDER, "192.0.2.1") == ACCEPT
    assert fixture.judge(FilterStage.SENDER, "192.0.2.9").reason == (
        "more than 1 messages in 3600 s: sender a@client.example from 192.0.2.0/24"
    )
    assert fixture.judge(FilterStage.SENDER, "198.51.100.1") == ACCEPT
    assert fixture.judge(FilterStage.SENDER, "192.0.2.1", submitter="a@client.example") == ACCEPT


def test_senders_that_strangers_invent_do_not_displace_those_of_accounts():
    fixture = RatesFixture(RateLimit("messages", "sender", 1), max_entries=2)
    fixture.judge(submitter="a@client.example")
    for number in range(5):
        assert fixture.judge(sender=f"b{number}@client.example") == ACCEPT
    assert fixture.judge(submitter="a@client.example").is_refusal


def test_the_null_sender_is_nobody_whose_messages_are_counted():
    fixture = RatesFixture(RateLimit("messages", "sender", 1))
    hosts = ("192.0.2.1", "198.51.100.1", "198.51.100.2")
    assert [fixture.judge(FilterStage.SENDER, host, sender="") for host in hosts] == [ACCEPT] * 3


def test_recipients_and_octets_are_counted_at_their_stages():
    fixture = RatesFixture(
        RateLimit("recipients", "address", 2), RateLimit("octets", "address", 1000)
    )
    assert fixture.filter.stages == {FilterStage.RECIPIENT, FilterStage.MESSAGE}
    assert [fixture.judge(FilterStage.RECIPIENT).is_refusal for _ in range(3)] == [
        False,
        False,
        True,
    ]
    assert fixture.judge(FilterStage.MESSAGE, message=message(1500)) == ACCEPT
    assert fixture.judge(FilterStage.MESSAGE, message=message(1)).is_refusal


def test_a_refusal_takes_nothing_from_the_other_rates():
    fixture = RatesFixture(
        RateLimit("messages", "network", 10), RateLimit("messages", "address", 1)
    )
    for _ in range(20):
        fixture.judge()
    assert fixture.judge(FilterStage.SENDER, "192.0.2.2") == ACCEPT


def test_trusted_networks_are_not_counted_but_accounts_there_are():
    fixture = RatesFixture(RateLimit("messages", "address", 1), RateLimit("messages", "account", 1))
    assert [fixture.judge(FilterStage.SENDER, "127.0.0.1") for _ in range(3)] == [ACCEPT] * 3
    who = {"submitter": "alice@example.org"}
    fixture.judge(FilterStage.SENDER, "127.0.0.1", **who)
    assert fixture.judge(FilterStage.SENDER, "127.0.0.1", **who).is_refusal


@pytest.mark.parametrize(
    "rate",
    [("messages", "address", 0), ("messages", "address", 1, 0), ("connections", "account", 1)],
)
def test_rates_that_make_no_sense_are_mistakes(rate):
    with pytest.raises(ValueError, match=r"."):
        RateLimit(*rate)
