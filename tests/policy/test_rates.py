import pytest

from tests.policy.visits import judged, message, visit
from tests.support import StillClock
from twisted_mail.mail.verdict import ACCEPT, Decision, Stage
from twisted_mail.policy.rates import Rate, Rates, RateSettings


class Place:
    def __init__(self, *rates, **options):
        self.clock = StillClock()
        self.filter = Rates(RateSettings(rates=rates, **options), self.clock)

    def judge(self, stage=Stage.SENDER, *args, **more):
        return judged(self.filter, visit(*args, **more), stage)


def test_so_many_messages_and_no_more_and_later_again():
    place = Place(Rate("messages", "address", 2, 60))
    assert [place.judge().decision for _ in range(3)] == [
        Decision.ACCEPT,
        Decision.ACCEPT,
        Decision.DEFER,
    ]
    assert place.judge().answer.text == "Too many messages for now; try again in 30 seconds"
    assert place.judge().reason == "more than 2 messages in 60 s: address 192.0.2.1"
    place.clock.seconds += 30
    assert place.judge() == ACCEPT


def test_a_network_is_counted_as_one():
    place = Place(Rate("connections", "network", 1))
    assert place.judge(Stage.CONNECT, "192.0.2.1") == ACCEPT
    assert place.judge(Stage.CONNECT, "192.0.2.2").is_refusal
    assert place.judge(Stage.CONNECT, "198.51.100.1") == ACCEPT


def test_those_who_log_in_are_counted_by_account_and_not_by_where_they_are():
    place = Place(Rate("messages", "address", 1), Rate("messages", "account", 2), action="refuse")
    who = {"submitter": "alice@example.org"}
    assert [place.judge(**who).decision.value for _ in range(3)] == ["accept", "accept", "refuse"]
    assert place.judge(submitter="bob@example.org") == ACCEPT
    assert place.judge() == ACCEPT
    assert place.judge().answer.code == 550


def test_a_sender_is_counted_wherever_it_comes_from():
    place = Place(Rate("messages", "sender", 1))
    assert place.judge(Stage.SENDER, "192.0.2.1") == ACCEPT
    assert place.judge(Stage.SENDER, "198.51.100.1", sender="A@client.example").is_refusal


def test_the_null_sender_is_nobody_whose_messages_are_counted():
    place = Place(Rate("messages", "sender", 1))
    hosts = ("192.0.2.1", "198.51.100.1", "198.51.100.2")
    assert [place.judge(Stage.SENDER, host, sender="") for host in hosts] == [ACCEPT] * 3


def test_recipients_and_octets_are_counted_at_their_stages():
    place = Place(Rate("recipients", "address", 2), Rate("octets", "address", 1000))
    assert place.filter.stages == {Stage.RECIPIENT, Stage.MESSAGE}
    assert [place.judge(Stage.RECIPIENT).is_refusal for _ in range(3)] == [False, False, True]
    assert place.judge(Stage.MESSAGE, message=message(1500)) == ACCEPT
    assert place.judge(Stage.MESSAGE, message=message(1)).is_refusal


def test_a_refusal_takes_nothing_from_the_other_rates():
    place = Place(Rate("messages", "network", 10), Rate("messages", "address", 1))
    for _ in range(20):
        place.judge()
    assert place.judge(Stage.SENDER, "192.0.2.2") == ACCEPT


def test_trusted_networks_are_not_counted_but_accounts_there_are():
    place = Place(Rate("messages", "address", 1), Rate("messages", "account", 1))
    assert [place.judge(Stage.SENDER, "127.0.0.1") for _ in range(3)] == [ACCEPT] * 3
    who = {"submitter": "alice@example.org"}
    place.judge(Stage.SENDER, "127.0.0.1", **who)
    assert place.judge(Stage.SENDER, "127.0.0.1", **who).is_refusal


@pytest.mark.parametrize(
    "rate",
    [("messages", "address", 0), ("messages", "address", 1, 0), ("connections", "account", 1)],
)
def test_rates_that_make_no_sense_are_mistakes(rate):
    with pytest.raises(ValueError, match=r"."):
        Rate(*rate)
